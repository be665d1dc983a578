//! The bar that shows on a terminal how far a run is.

use std::fs::File;
use std::io::Read as _;
use std::process::{Command, ExitStatus, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use scim_examples::pagerduty_rest::{Faults, Options};

use crate::account::people;
use crate::bridge::{Bridge, text};
use crate::idp::{okta_group, okta_user};
use crate::stand_in::PagerDuty;

/// What is seen on a terminal, as far as the program uses it: lines, of which each can be written again.
#[derive(Default)]
struct Screen {
    lines: Vec<Vec<char>>,
    row: usize,
    column: usize,
    /// A sequence that is not at its end.
    escape: Option<String>,
}

impl Screen {
    fn write(&mut self, text: &str) {
        for c in text.chars() {
            match (&mut self.escape, c) {
                (Some(begun), '[' | '?' | ';' | '0'..='9') => begun.push(c),
                (Some(begun), _) => {
                    let count: String = begun.chars().filter(char::is_ascii_digit).collect();
                    self.escape = None;
                    self.obey(c, count.parse().unwrap_or(0));
                }
                (None, '\u{1b}') => self.escape = Some(String::new()),
                (None, '\r') => self.column = 0,
                (None, '\n') => self.row += 1,
                (None, _) => {
                    let column = self.column;
                    let line = self.line();
                    line.resize(line.len().max(column + 1), ' ');
                    line[column] = c;
                    self.column += 1;
                }
            }
        }
    }

    fn obey(&mut self, what: char, count: usize) {
        let column = self.column;
        match (what, count) {
            ('K', 2) => self.line().clear(),
            ('K', 0) => self.line().truncate(column),
            ('A', count) => self.row = self.row.saturating_sub(count.max(1)),
            ('B', count) => self.row += count.max(1),
            ('C', count) => self.column += count.max(1),
            ('D', count) => self.column = column.saturating_sub(count.max(1)),
            // Colours, and whether the cursor is seen.
            ('m' | 'h' | 'l', _) => {}
            other => panic!("the terminal does not know {other:?}"),
        }
    }

    fn line(&mut self) -> &mut Vec<char> {
        let row = self.row;
        self.lines.resize(self.lines.len().max(row + 1), Vec::new());
        &mut self.lines[row]
    }

    /// The lines that have something on them.
    fn shown(&self) -> Vec<String> {
        let lines = self.lines.iter().map(|line| line.iter().collect::<String>().trim().to_owned());
        lines.filter(|line| !line.is_empty()).collect()
    }
}

/// Runs a program whose standard error is a terminal of 100 columns: how it ended, and what was seen on the terminal
/// whenever something was written.
fn on_a_terminal(mut command: Command) -> (ExitStatus, Vec<Vec<String>>) {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let end = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    tcsetwinsize(&end, Winsize { ws_row: 24, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    let mut child = command.env("TERM", "xterm").stdout(Stdio::null()).stderr(end).spawn().unwrap();
    // It holds the terminal open.
    drop(command);
    let (mut terminal, mut screen, mut seen) = (File::from(terminal), Screen::default(), Vec::new());
    let (mut bytes, mut kept) = ([0; 4096], Vec::new());
    // When nobody has the other end any more, that is no end of a file but an error.
    while let Ok(count) = terminal.read(&mut bytes)
        && count > 0
    {
        kept.extend_from_slice(&bytes[..count]);
        // A character may come in two parts.
        let whole = match std::str::from_utf8(&kept) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        screen.write(std::str::from_utf8(&kept[..whole]).unwrap());
        kept.drain(..whole);
        seen.push(screen.shown());
    }
    (child.wait().unwrap(), seen)
}

#[test]
fn a_bar_is_on_a_terminal_while_a_run_goes_on_and_nowhere_else() {
    let slow =
        Faults { delay: 100, longest_delay: std::time::Duration::from_millis(40), ..Faults::default() };
    let pagerduty = PagerDuty::start(people(3), Options::default(), slow);
    let mut bridge = Bridge::new(&pagerduty);
    bridge.settle = "100000000";
    let running = bridge.start();
    let users: Vec<String> =
        (0..3).map(|number| okta_user(&running.scim, &format!("p{number}@example.com"))).collect();
    let all: Vec<&str> = users.iter().map(String::as_str).collect();
    for name in ["Alpha", "Beta"] {
        okta_group(&running.scim, name, &all);
    }
    running.stop("-TERM");

    let (status, seen) = on_a_terminal(bridge.command(&["--once"]));
    assert!(status.success(), "{seen:?}");
    let bars: Vec<&String> = seen.iter().flatten().filter(|line| line.contains(" groups, ")).collect();
    for part in ["0/2 groups, ", "1/2 groups, ", "find the team `Alpha`"] {
        assert!(bars.iter().any(|bar| bar.contains(part)), "{part}: {bars:#?}");
    }
    for bar in bars {
        assert!(bar.starts_with("local ") && bar.chars().count() <= 100, "{bar}");
    }
    // One line, which is gone at the end.
    assert!(seen.iter().all(|lines| lines.len() <= 1), "{seen:#?}");
    assert_eq!(seen.last().unwrap().len(), 0, "{seen:#?}");

    // Where it is no terminal, whatever else there is.
    okta_groups_again(&bridge, &all);
    let output = bridge.command(&["--once"]).env("TERM", "xterm").output().unwrap();
    let said = text(&output.stderr);
    assert!(output.status.success() && text(&output.stdout).contains("created"), "{said}");
    assert!(!said.contains('\u{1b}') && !said.contains("groups, "), "{said:?}");
}

/// Something is to be done again.
fn okta_groups_again(bridge: &Bridge, members: &[&str]) {
    let running = bridge.start();
    okta_group(&running.scim, "Gamma", members);
    running.stop("-TERM");
}
