//! Binding: names are resolved against a schema, and misuse is refused once.

use std::ops::Range;
use std::sync::OnceLock;

use crate::ast::{Literal, NodeKind, Slice};
use crate::bound::{ACCEPT, BoundKind, BoundLiteral, BoundNode, REJECT, route};
use crate::compare::{Text, fold};
use crate::fold::Key;
use crate::{
    AttrName, AttrPath, AttributeInfo, AttributeType, BindError, BindErrorKind, BoundAttr, BoundFilter,
    BoundPath, CompareOp, Filter, Number, PatchPath, Schema, Term, Terms,
};

/// Leniencies of a bind.
#[derive(Clone, Debug, Default)]
pub struct BindOptions {
    /// Lets a Boolean attribute be compared with `"true"`, `"True"`, `"false"` or `"False"`,
    /// as Microsoft Entra ID sends it (`roles[primary eq "True"]`).
    pub boolean_strings: bool,
}

/// Binds a filter on resources.
pub(crate) fn filter(
    filter: &Filter,
    schema: &impl Schema,
    options: &BindOptions,
) -> Result<BoundFilter, BindError> {
    let mut binder = Binder::new(filter, schema, options);
    binder.term(filter.root_term(), None)?;
    Ok(binder.finish())
}

/// Binds a PATCH path.
pub(crate) fn path(
    path: &PatchPath,
    schema: &impl Schema,
    options: &BindOptions,
) -> Result<BoundPath, BindError> {
    let text = path.attr_path();
    let bound = |extension, attribute, filter, sub| BoundPath { extension, attribute, filter, sub };
    if path.value_filter().is_none() && schema.schema_uri_len(text.as_str()) == Some(text.as_str().len()) {
        return Ok(bound(schema.extension(text.as_str()).map(AttrName::new), None, None, None));
    }
    let mut binder = Binder::new(path.tree(), schema, options);
    let target = binder.resolve(text)?;
    let (extension, attribute) = (target.info.extension.map(AttrName::new), AttrName::new(target.info.name));
    let Some(filter) = path.value_filter() else {
        return Ok(bound(extension, Some(attribute), None, target.sub.map(|sub| AttrName::new(sub.name))));
    };
    if path.is_expression() {
        // The attribute expression compares what it names within each value of the attribute.
        let inner = binder.of_value(&target)?;
        binder.leaf(filter, inner)?;
    } else {
        refuse_sensitive(text, &target.info)?;
        binder.check_filterable(&target)?;
        binder.term(filter, Some(target))?;
    }
    let sub = match path.sub_slice() {
        None => None,
        Some(slice) => {
            let sub = path.tree().attr_path(slice);
            match schema.sub_attribute(target.uri, target.info.name, sub.as_str()) {
                Some(sub) => Some(AttrName::new(sub.name)),
                None => return Err(unknown_sub(text.as_str(), sub.as_str(), sub.span())),
            }
        }
    };
    Ok(bound(extension, Some(attribute), Some(binder.finish()), sub))
}

/// An attribute of the resource type that a path names.
#[derive(Clone, Copy)]
struct Resolved<'a> {
    path: AttrPath<'a>,
    uri: Option<&'a str>,
    info: AttributeInfo<'a>,
    sub: Option<AttributeInfo<'a>>,
}

/// What a leaf looks at: an attribute of the resource, or of one value of an attribute.
struct Target<'a> {
    path: AttrPath<'a>,
    extension: Option<&'a str>,
    name: &'a str,
    multi_valued: bool,
    sub: Option<AttributeInfo<'a>>,
    kind: AttributeType,
    case_exact: bool,
    // What a comparison looks at where this is complex.
    value: Option<AttributeInfo<'a>>,
    // What presence would reveal where this is complex.
    hidden: Option<AttributeInfo<'a>>,
}

struct Binder<'a, S> {
    filter: &'a Filter,
    schema: &'a S,
    options: &'a BindOptions,
    nodes: Vec<BoundNode>,
    attrs: Vec<BoundAttr>,
    texts: String,
    lenient: bool,
}

/// What is still to be bound, last first.
enum Todo<'a> {
    Term(Term<'a>),
    Next(Term<'a>),
    End(usize),
    LeaveValuePath,
}

impl<'a, S: Schema> Binder<'a, S> {
    fn new(filter: &'a Filter, schema: &'a S, options: &'a BindOptions) -> Self {
        let (nodes, attrs, texts) = (Vec::new(), Vec::new(), String::new());
        Self { filter, schema, options, nodes, attrs, texts, lenient: false }
    }

    /// Binds `term`; inside the brackets of `value_path`, if that is given.
    fn term(&mut self, term: Term<'a>, value_path: Option<Resolved<'a>>) -> Result<(), BindError> {
        let mut value_path = value_path;
        let mut todo = vec![Todo::Term(term)];
        while let Some(next) = todo.pop() {
            match next {
                Todo::LeaveValuePath => value_path = None,
                Todo::End(index) => {
                    let end = self.nodes.len() as u32;
                    if let Some(node) = self.nodes.get_mut(index) {
                        node.end = end;
                    }
                }
                Todo::Next(term) => {
                    if let Some(term) = term.next() {
                        todo.push(Todo::Next(term));
                        todo.push(Todo::Term(term));
                    }
                }
                Todo::Term(term) => match term.kind() {
                    NodeKind::And { first } | NodeKind::Or { first } => {
                        let kind = match term.kind() {
                            NodeKind::And { .. } => BoundKind::And,
                            _ => BoundKind::Or,
                        };
                        todo.push(Todo::End(self.push(kind)));
                        if let Some(first) = Terms::starting(self.filter, first).into_iter().next() {
                            todo.push(Todo::Next(first));
                            todo.push(Todo::Term(first));
                        }
                    }
                    NodeKind::Not { term } => {
                        todo.push(Todo::End(self.push(BoundKind::Not)));
                        todo.push(Todo::Term(Term::new(self.filter, term)));
                    }
                    NodeKind::ValuePath { path, term } => {
                        let path = self.filter.attr_path(path);
                        let target = self.resolve(path)?;
                        refuse_sensitive(path, &target.info)?;
                        self.check_filterable(&target)?;
                        let attr = self.attr(BoundAttr {
                            extension: target.info.extension.map(AttrName::new),
                            name: AttrName::new(target.info.name),
                            sub: None,
                            kind: target.info.kind,
                            multi_valued: target.info.multi_valued,
                            case_exact: target.info.case_exact,
                        });
                        todo.push(Todo::End(self.push(BoundKind::ValuePath { attr })));
                        todo.push(Todo::LeaveValuePath);
                        todo.push(Todo::Term(Term::new(self.filter, term)));
                        value_path = Some(target);
                    }
                    NodeKind::Compare { path, .. } | NodeKind::Present { path } => {
                        let path = self.filter.attr_path(path);
                        let target = match &value_path {
                            None => self.of_resource(path)?,
                            Some(outer) => self.in_value(path, outer)?,
                        };
                        self.leaf(term, target)?;
                    }
                },
            }
        }
        Ok(())
    }

    /// Resolves a path outside of brackets. The URI is the longest schema that is known, since `:`
    /// and `.` occur inside of URIs.
    fn resolve(&self, path: AttrPath<'a>) -> Result<Resolved<'a>, BindError> {
        let text = path.as_str();
        let (uri, name) = match self.schema.schema_uri_len(text) {
            Some(length) => {
                let (uri, name) = text.split_at_checked(length).unwrap_or(("", text));
                (Some(uri), name.strip_prefix(':').unwrap_or(name))
            }
            None => match path.uri() {
                Some(uri) => {
                    let span = path.span().start..path.span().start + uri.len();
                    return Err(BindError::new(BindErrorKind::UnknownSchema, span, uri, ""));
                }
                None => (None, text),
            },
        };
        let (name, sub) = match name.split_once('.') {
            Some((name, sub)) => (name, Some(sub)),
            None => (name, None),
        };
        let Some(info) = self.schema.attribute(uri, name) else {
            return Err(BindError::new(BindErrorKind::UnknownAttribute, path.span(), text, ""));
        };
        let sub = match sub {
            None => None,
            Some(sub) => match self.schema.sub_attribute(uri, name, sub) {
                Some(sub) => Some(sub),
                None => {
                    let end = path.span().end;
                    let of = text.get(..text.len() - sub.len() - 1).unwrap_or_default();
                    return Err(unknown_sub(of, sub, end - sub.len()..end));
                }
            },
        };
        Ok(Resolved { path, uri, info, sub })
    }

    /// Refuses a value filter where there is nothing to filter.
    fn check_filterable(&self, target: &Resolved<'a>) -> Result<(), BindError> {
        let filterable = target.info.multi_valued || target.info.kind == AttributeType::Complex;
        if target.sub.is_none() && filterable {
            return Ok(());
        }
        let path = target.path;
        Err(BindError::new(BindErrorKind::NotFilterable, path.span(), path.as_str(), ""))
    }

    /// What a leaf outside of brackets looks at.
    fn of_resource(&self, path: AttrPath<'a>) -> Result<Target<'a>, BindError> {
        let Resolved { uri, info, sub, .. } = self.resolve(path)?;
        refuse_sensitive(path, &info)?;
        let typed = sub.unwrap_or(info);
        refuse_sensitive(path, &typed)?;
        let (value, hidden) = match typed.kind {
            AttributeType::Complex if sub.is_none() => (
                self.schema.sub_attribute(uri, info.name, "value"),
                self.schema.sensitive_sub_attribute(uri, info.name),
            ),
            _ => (None, None),
        };
        Ok(Target {
            path,
            extension: info.extension,
            name: info.name,
            multi_valued: info.multi_valued,
            sub,
            kind: typed.kind,
            case_exact: typed.case_exact,
            value,
            hidden,
        })
    }

    /// What a leaf in the brackets behind `outer` looks at.
    fn in_value(&self, path: AttrPath<'a>, outer: &Resolved<'a>) -> Result<Target<'a>, BindError> {
        let info = if outer.info.kind == AttributeType::Complex {
            self.schema.sub_attribute(outer.uri, outer.info.name, path.as_str())
        } else {
            // The values of a simple attribute are what would be its `value`.
            path.as_str().eq_ignore_ascii_case("value").then_some(AttributeInfo {
                name: "value",
                multi_valued: false,
                ..outer.info
            })
        };
        let Some(info) = info else {
            return Err(unknown_sub(outer.path.as_str(), path.as_str(), path.span()));
        };
        refuse_sensitive(path, &info)?;
        Ok(Target {
            path,
            extension: None,
            name: info.name,
            multi_valued: info.multi_valued,
            sub: None,
            kind: info.kind,
            case_exact: info.case_exact,
            value: None,
            hidden: None,
        })
    }

    /// What an attribute expression that is a PATCH path looks at in each value of its attribute.
    fn of_value(&self, target: &Resolved<'a>) -> Result<Target<'a>, BindError> {
        let path = target.path;
        let info = match (target.sub, target.info.kind) {
            (Some(sub), _) => sub,
            (None, AttributeType::Complex) => {
                match self.schema.sub_attribute(target.uri, target.info.name, "value") {
                    Some(value) => value,
                    None => return Err(needs_sub(path)),
                }
            }
            (None, _) => AttributeInfo { name: "value", multi_valued: false, ..target.info },
        };
        refuse_sensitive(path, &target.info)?;
        refuse_sensitive(path, &info)?;
        Ok(Target {
            path,
            extension: None,
            name: info.name,
            multi_valued: info.multi_valued,
            sub: None,
            kind: info.kind,
            case_exact: info.case_exact,
            value: None,
            hidden: None,
        })
    }

    /// A comparison or a test of presence.
    fn leaf(&mut self, term: Term<'a>, target: Target<'a>) -> Result<(), BindError> {
        match term.kind() {
            NodeKind::Present { .. } => self.present(&target)?,
            NodeKind::Compare { op, value: Literal::Null, .. } => match op {
                // "Unassigned" and null are the same state (RFC 7643 §2.5).
                CompareOp::Eq => {
                    let index = self.push(BoundKind::Not);
                    self.present(&target)?;
                    let end = self.nodes.len() as u32;
                    if let Some(node) = self.nodes.get_mut(index) {
                        node.end = end;
                    }
                }
                CompareOp::Ne => self.present(&target)?,
                _ => return Err(self.mismatch(&target)),
            },
            NodeKind::Compare { op, value, .. } => self.comparison(target, op, value)?,
            _ => {}
        }
        Ok(())
    }

    fn present(&mut self, target: &Target<'a>) -> Result<(), BindError> {
        if let Some(hidden) = target.hidden {
            let attribute = format!("{}.{}", target.name, hidden.name);
            return Err(BindError::new(BindErrorKind::Sensitive, target.path.span(), &attribute, ""));
        }
        let attr = self.attr(target.attr());
        self.push(BoundKind::Present { attr });
        Ok(())
    }

    fn comparison(
        &mut self,
        mut target: Target<'a>,
        op: CompareOp,
        literal: Literal,
    ) -> Result<(), BindError> {
        if target.kind == AttributeType::Complex {
            let Some(value) = target.value else { return Err(needs_sub(target.path)) };
            refuse_sensitive(target.path, &value)?;
            (target.sub, target.kind, target.case_exact) = (Some(value), value.kind, value.case_exact);
        }
        if !applies(op, target.kind) {
            let kind = BindErrorKind::OperatorNotAllowed { op, kind: target.kind };
            let span = self.filter.operator_span(target.path.span().end);
            return Err(BindError::new(kind, span, target.path.as_str(), ""));
        }
        let Some(value) = self.literal(&target, literal) else { return Err(self.mismatch(&target)) };
        let attr = self.attr(target.attr());
        self.push(BoundKind::Compare { attr, op, value });
        Ok(())
    }

    /// The literal, if it is of the type of the attribute.
    fn literal(&mut self, target: &Target<'a>, literal: Literal) -> Option<BoundLiteral> {
        match (target.kind, literal) {
            (AttributeType::Boolean, Literal::Bool(value)) => Some(BoundLiteral::Bool(value)),
            (AttributeType::Boolean, Literal::String(text)) if self.options.boolean_strings => {
                let value = match self.filter.slice(text) {
                    "true" | "True" => true,
                    "false" | "False" => false,
                    _ => return None,
                };
                self.lenient = true;
                Some(BoundLiteral::Bool(value))
            }
            (AttributeType::Integer | AttributeType::Decimal, Literal::Number(text)) => {
                Number::parse(self.filter.slice(text)).map(BoundLiteral::Number)
            }
            (
                AttributeType::String
                | AttributeType::Reference
                | AttributeType::DateTime
                | AttributeType::Binary,
                Literal::String(text),
            ) => self.text(target, self.filter.slice(text)),
            _ => None,
        }
    }

    fn text(&mut self, target: &Target<'a>, text: &str) -> Option<BoundLiteral> {
        let slice = self.store(text);
        Some(match Text::new(target.collation(), text) {
            Text::Instant(instant, _) => {
                // The fraction stands in the text, or is empty.
                let digits = instant.fraction();
                let at = text.find('.').map_or(0, |dot| dot + 1);
                let fraction = Slice { start: slice.start + at as u32, len: digits.len() as u32 };
                BoundLiteral::Instant { text: slice, seconds: instant.unix_seconds(), fraction }
            }
            _ if target.kind == AttributeType::DateTime => return None,
            Text::Exact(_) => BoundLiteral::Exact(slice),
            Text::Binary(_) => BoundLiteral::Binary(slice),
            Text::Folded(_) => {
                let key = match fold(text) {
                    std::borrow::Cow::Borrowed(_) => slice,
                    std::borrow::Cow::Owned(key) => self.store(&key),
                };
                let anchor =
                    Key::new(self.texts.get(key.start as usize..key.end()).unwrap_or_default()).anchor;
                BoundLiteral::Folded { text: slice, key, anchor }
            }
        })
    }

    fn store(&mut self, text: &str) -> Slice {
        let start = self.texts.len() as u32;
        self.texts.push_str(text);
        Slice { start, len: text.len() as u32 }
    }

    fn mismatch(&self, target: &Target<'a>) -> BindError {
        let span = self.filter.value_span(target.path.span().end);
        let found = self.filter.as_str().get(span.clone()).unwrap_or_default();
        BindError::new(BindErrorKind::TypeMismatch { kind: target.kind }, span, target.path.as_str(), found)
    }

    /// The index of `attr`; lists of values compare the same attribute again and again.
    fn attr(&mut self, attr: BoundAttr) -> u32 {
        const LOOK_BACK: usize = 16;
        let known = self.attrs.iter().enumerate().rev().take(LOOK_BACK).find(|(_, known)| **known == attr);
        match known {
            Some((index, _)) => index as u32,
            None => {
                self.attrs.push(attr);
                self.attrs.len() as u32 - 1
            }
        }
    }

    fn push(&mut self, kind: BoundKind) -> usize {
        let index = self.nodes.len();
        self.nodes.push(BoundNode { kind, end: index as u32 + 1, on_true: ACCEPT, on_false: REJECT });
        index
    }

    fn finish(self) -> BoundFilter {
        let Self { mut nodes, attrs, texts, lenient, .. } = self;
        let entry = route(&mut nodes);
        BoundFilter {
            wanted: OnceLock::new(),
            nodes: nodes.into(),
            entry,
            attrs: attrs.into(),
            texts: texts.into_boxed_str(),
            lenient,
        }
    }
}

impl Target<'_> {
    fn collation(&self) -> crate::compare::Collation {
        crate::compare::Collation { kind: self.kind, case_exact: self.case_exact }
    }

    fn attr(&self) -> BoundAttr {
        BoundAttr {
            extension: self.extension.map(AttrName::new),
            name: AttrName::new(self.name),
            sub: self.sub.map(|sub| AttrName::new(sub.name)),
            kind: self.kind,
            multi_valued: self.multi_valued,
            case_exact: self.case_exact,
        }
    }
}

/// Whether `op` makes sense for values of the type.
fn applies(op: CompareOp, kind: AttributeType) -> bool {
    use AttributeType::{Binary, Boolean, Complex, DateTime, Decimal, Integer, Reference, String};
    match op {
        CompareOp::Eq | CompareOp::Ne => kind != Complex,
        CompareOp::Co | CompareOp::Sw | CompareOp::Ew => matches!(kind, String | Reference),
        CompareOp::Gt | CompareOp::Ge | CompareOp::Lt | CompareOp::Le => match kind {
            String | Reference | DateTime | Decimal | Integer => true,
            Boolean | Binary | Complex => false,
        },
    }
}

fn refuse_sensitive(path: AttrPath<'_>, info: &AttributeInfo<'_>) -> Result<(), BindError> {
    if info.sensitive {
        return Err(BindError::new(BindErrorKind::Sensitive, path.span(), path.as_str(), ""));
    }
    Ok(())
}

fn unknown_sub(attribute: &str, sub: &str, span: Range<usize>) -> BindError {
    BindError::new(BindErrorKind::UnknownSubAttribute, span, attribute, sub)
}

fn needs_sub(path: AttrPath<'_>) -> BindError {
    BindError::new(BindErrorKind::NeedsSubAttribute, path.span(), path.as_str(), "")
}
