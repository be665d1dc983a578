//! Curves as SVG: a panel for each shape, both axes logarithmic, readable on light and on dark ground.

use std::fmt::{self, Write as _};

use scim_filter::Limits;

use crate::curves::{Curve, End, Shape};
use crate::report::{duration, grouped};

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 470.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 350.0;
/// Left and right of each panel.
const PANELS: [(f64, f64); 2] = [(72.0, 468.0), (548.0, 944.0)];

/// Colours that stand out on white and on black, also to most who see few colours; by crate.
const STYLE: &str = "\
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.small { font-size: 12px; fill: #59636e }
.grid { stroke: #818b98; stroke-opacity: .3 }
.curve { fill: none; stroke-width: 2.5; stroke-linejoin: round }
.end { stroke-width: 2.5 }
.c0 { stroke: #0a7cff } .c1 { stroke: #e8710a } .c2 { stroke: #12a150 } .c3 { stroke: #c04fd6 }
@media (prefers-color-scheme: dark) { text { fill: #f0f6fc } .small { fill: #9198a1 } }
";

/// Draws the curves; `circumstances` says where and when they were measured.
pub fn svg(panels: &[(&Shape, Vec<Curve>)], circumstances: &str) -> String {
    let mut svg = String::new();
    // Writing to a string cannot fail.
    let _ = draw(&mut svg, panels, circumstances);
    svg
}

fn draw(svg: &mut String, panels: &[(&Shape, Vec<Curve>)], circumstances: &str) -> fmt::Result {
    writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">\n\
         <title>Time for parsing a filter, against its size</title>\n<style>\n{STYLE}</style>"
    )?;
    let times = || panels.iter().flat_map(|(_, curves)| curves).flat_map(|curve| &curve.points);
    let decade = |time: f64| time.log10();
    let low = times().map(|(_, time)| decade(*time)).fold(f64::MAX, f64::min).floor() as i32;
    let high = times().map(|(_, time)| decade(*time)).fold(f64::MIN, f64::max).ceil() as i32;
    let time = Axis { from: 10f64.powi(low), to: 10f64.powi(high), start: BOTTOM, end: TOP };

    if let Some((_, curves)) = panels.first() {
        legend(svg, curves)?;
    }
    let terms = grouped(Limits::default().max_terms);
    let mut notes = vec![format!("Medians on {circumstances}; ours without its limit of {terms} terms.")];
    for ((shape, curves), (left, right)) in panels.iter().zip(PANELS) {
        let ends = shape.sizes.first().zip(shape.sizes.last());
        let (from, to) = ends.map_or((1.0, 10.0), |(from, to)| (*from as f64, *to as f64));
        let size = Axis { from, to, start: left, end: right };
        for decade in low..=high {
            let nanoseconds = 10f64.powi(decade);
            let y = time.place(nanoseconds);
            writeln!(svg, "<path class=\"grid\" d=\"M{left} {y:.1}H{right}\"/>")?;
            let (x, y) = (left - 8.0, y + 4.0);
            writeln!(
                svg,
                "<text x=\"{x}\" y=\"{y:.1}\" text-anchor=\"end\">{}</text>",
                duration(nanoseconds)
            )?;
        }
        for tick in shape.ticks {
            let (x, y) = (size.place(*tick as f64), BOTTOM + 18.0);
            writeln!(svg, "<path class=\"grid\" d=\"M{x:.1} {TOP}V{BOTTOM}\"/>")?;
            writeln!(svg, "<text x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{}</text>", grouped(*tick))?;
        }
        let (middle, y) = ((left + right) / 2.0, BOTTOM + 40.0);
        writeln!(svg, "<text x=\"{middle}\" y=\"{y}\" text-anchor=\"middle\">{}</text>", shape.name)?;
        for (index, curve) in curves.iter().enumerate() {
            draw_curve(svg, index, curve, &size, &time)?;
            notes.extend(note(shape, curve));
        }
    }
    for (index, note) in notes.iter().enumerate() {
        let y = BOTTOM + 62.0 + 16.0 * index as f64;
        writeln!(svg, "<text class=\"small\" x=\"16\" y=\"{y}\">{note}</text>")?;
    }
    writeln!(svg, "</svg>")
}

fn legend(svg: &mut String, curves: &[Curve]) -> fmt::Result {
    writeln!(svg, "<text x=\"16\" y=\"30\">time for parsing one filter</text>")?;
    for (index, curve) in curves.iter().enumerate() {
        let x = 300.0 + 165.0 * index as f64;
        writeln!(svg, "<path class=\"curve c{index}\" d=\"M{x} 26h24\"/>")?;
        writeln!(svg, "<text x=\"{}\" y=\"30\">{}</text>", x + 32.0, curve.crate_name)?;
    }
    Ok(())
}

/// A line through the points, and a cross where it ends early.
fn draw_curve(svg: &mut String, index: usize, curve: &Curve, size: &Axis, time: &Axis) -> fmt::Result {
    let mut places = curve.points.iter().map(|(at, median)| (size.place(*at as f64), time.place(*median)));
    let mut line = String::new();
    for (x, y) in places.clone() {
        write!(line, "{}{x:.1} {y:.1}", if line.is_empty() { "M" } else { "L" })?;
    }
    writeln!(svg, "<path class=\"curve c{index}\" d=\"{line}\"/>")?;
    if let (Some((x, y)), Some(_)) = (places.next_back(), &curve.end) {
        let (left, up) = (x - 5.0, y - 5.0);
        writeln!(svg, "<path class=\"end c{index}\" d=\"M{left:.1} {up:.1}l10 10m0 -10l-10 10\"/>")?;
    }
    Ok(())
}

/// Why a curve ends early, in words.
fn note(shape: &Shape, curve: &Curve) -> Option<String> {
    let Curve { crate_name, points, end } = curve;
    let name = shape.name;
    Some(match (end.as_ref()?, points.last()) {
        (End::Refused(size), _) => format!("× {crate_name} refuses {} {name}.", grouped(*size)),
        (End::Aborted(size), _) => {
            format!("× {crate_name} overflows the stack at {} {name}.", grouped(*size))
        }
        (End::TooSlow, Some((size, time))) => {
            format!(
                "× {crate_name} takes {} for {} {name} and was asked for no more.",
                duration(*time),
                grouped(*size)
            )
        }
        (End::TooSlow, None) => return None,
    })
}

/// A logarithmic axis.
struct Axis {
    from: f64,
    to: f64,
    start: f64,
    end: f64,
}

impl Axis {
    fn place(&self, value: f64) -> f64 {
        let part = (value / self.from).ln() / (self.to / self.from).ln();
        self.start + part * (self.end - self.start)
    }
}
