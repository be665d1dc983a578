//! A guide as it is written: sections, tables, and conversations.

use std::collections::BTreeSet;
use std::path::Path;

use scim_profiles::Profile;
use scim_profiles::datadog::RoleCatalogue;
use scim_profiles::incident_io::RoleMapping;
use serde_json::Value;

use crate::server::attributes_of;

/// A file of the folder `guides`.
pub(crate) struct Guide {
    /// The name of the file, without `.md`.
    pub(crate) name: String,
    text: String,
}

/// A table, its cells without the spaces around them.
pub(crate) struct Table {
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// A request and its answer.
pub(crate) struct Exchange {
    /// What the linter says of the body: `# lint: ID, ID` in the first line.
    pub(crate) lint: BTreeSet<String>,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Value>,
    pub(crate) status: u16,
    pub(crate) answer: Option<Value>,
}

impl Guide {
    /// All of them, by name.
    pub(crate) fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("guides");
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let mut guides: Vec<_> = files
            .filter(|file| file.extension().is_some_and(|extension| extension == "md"))
            .map(|file| Self {
                name: file.file_stem().unwrap().to_str().unwrap().to_owned(),
                text: std::fs::read_to_string(file).unwrap(),
            })
            .collect();
        guides.sort_by(|a, b| a.name.cmp(&b.name));
        guides
    }

    /// The vendor's profile.
    pub(crate) fn profile(&self) -> &'static Profile {
        Profile::by_name(self.name.split_once('-').unwrap().1).expect("the file is named by a profile")
    }

    /// Titles and texts.
    pub(crate) fn sections(&self) -> Vec<(&str, &str)> {
        let parts = self.text.split("\n## ").skip(1);
        parts.map(|part| part.split_once('\n').unwrap_or((part, ""))).collect()
    }

    /// The text of a section.
    pub(crate) fn section(&self, title: &str) -> &str {
        let found = self.sections().into_iter().find(|(name, _)| *name == title);
        found.unwrap_or_else(|| panic!("{}: no section `{title}`", self.name)).1
    }

    /// The only table of a section.
    pub(crate) fn table(&self, title: &str) -> Table {
        Table::read(self.section(title)).unwrap_or_else(|| panic!("{}: no table in `{title}`", self.name))
    }

    /// Every table, with its section.
    pub(crate) fn tables(&self) -> Vec<(&str, Table)> {
        let sections = self.sections().into_iter().filter(|(title, _)| *title != "Sources");
        sections.filter_map(|(title, text)| Some((title, Table::read(text)?))).collect()
    }

    /// The labels of `Sources`: `- **LABEL**: …`, each with the address that makes it a link.
    pub(crate) fn sources(&self) -> BTreeSet<&str> {
        let lines = || self.section("Sources").lines();
        let listed: BTreeSet<_> = lines()
            .filter_map(|line| line.strip_prefix("- **")?.split_once("**: ").map(|(label, _)| label))
            .collect();
        let linked: BTreeSet<_> = lines()
            .filter(|line| is_definition(line))
            .filter_map(|line| line.strip_prefix('[')?.split_once(']').map(|(label, _)| label))
            .collect();
        assert_eq!(listed, linked, "{}", self.name);
        listed
    }

    /// Labels in brackets outside of tables and conversations: `[LABEL]` or `[LABEL, LABEL]`.
    pub(crate) fn labels_in_text(&self) -> Vec<&str> {
        let mut in_code = false;
        let lines = self.text.lines().filter(|line| {
            in_code ^= line.starts_with("```");
            !in_code && !line.starts_with('|') && !line.starts_with("```") && !is_definition(line)
        });
        let mut labels = Vec::new();
        for line in lines {
            for (place, part) in line.split('`').enumerate() {
                // What stands in backticks is no label, and what has an address of its own is a link.
                if place % 2 == 1 {
                    continue;
                }
                for bracket in part.split('[').skip(1) {
                    if let Some((inside, behind)) = bracket.split_once(']')
                        && !behind.starts_with('(')
                    {
                        labels
                            .extend(inside.split(',').map(str::trim).filter(|label| *label != "*inferred*"));
                    }
                }
            }
        }
        labels
    }

    /// What groups give, where the guide says so: the rows of `Groups`.
    pub(crate) fn mapping(&self) -> RoleMapping {
        let Some((_, text)) = self.sections().into_iter().find(|(title, _)| *title == "Groups") else {
            return RoleMapping::new();
        };
        let table = Table::read(text).expect("has a table");
        table.rows.iter().fold(RoleMapping::new(), |mapping, row| {
            let [group, gives] = [&row[0], &row[1]].map(|cell| cell.trim_matches('`'));
            match gives {
                "on-call seat" => mapping.with_on_call(group),
                role => mapping.with_base_role(group, role.parse().expect("is a base role")),
            }
        })
    }

    /// The roles of the organisation, where the guide says so: the rows of `Roles`.
    pub(crate) fn roles(&self) -> RoleCatalogue {
        let table = self.table("Roles");
        table.rows.iter().fold(RoleCatalogue::new(), |roles, row| {
            roles.with_role(row[1].trim_matches('`'), &row[0]).expect("is a UUID")
        })
    }

    /// The header of the first request that has one.
    pub(crate) fn authorization(&self) -> String {
        let exchanges = self.exchanges();
        let mut headers = exchanges.iter().flat_map(|exchange| &exchange.headers);
        headers.find(|(name, _)| name == "Authorization").expect("a request has the header").1.clone()
    }

    /// The only block of the language `json`, in the section about the mapping.
    pub(crate) fn template(&self) -> Value {
        let mut blocks = self.section("Mapping").split("\n```json\n").skip(1);
        let block = blocks.next().unwrap_or_else(|| panic!("{}: no template", self.name));
        assert!(blocks.next().is_none(), "{}: two templates", self.name);
        let (text, _) = block.split_once("\n```").expect("the block ends");
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{}: {error} in\n{text}", self.name))
    }

    /// The blocks of the language `http`, in order.
    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        let blocks = self.text.split("\n```http\n").skip(1);
        let read = blocks.map(|block| {
            let (text, _) = block.split_once("\n```").expect("the block ends");
            Exchange::read(text).unwrap_or_else(|what| panic!("{}: {what} in\n{text}", self.name))
        });
        read.collect()
    }
}

/// Whether a line is the address of a label: `[LABEL]: https://…`.
fn is_definition(line: &str) -> bool {
    line.starts_with('[') && line.contains("]: https://")
}

impl Table {
    /// The first table in `text`.
    fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines().skip_while(|line| !line.starts_with("| "));
        let cells = |line: &str| -> Vec<String> {
            let line = line.trim_start_matches("| ").trim_end_matches(" |");
            line.split(" | ").map(|cell| cell.trim().to_owned()).collect()
        };
        let header = cells(lines.next()?);
        assert!(lines.next()?.starts_with("|---"));
        Some(Self { header, rows: lines.take_while(|line| line.starts_with("| ")).map(cells).collect() })
    }
}

impl Exchange {
    fn read(text: &str) -> Result<Self, String> {
        let (ids, text) = match text.strip_prefix("# lint: ") {
            Some(rest) => rest.split_once('\n').ok_or("nothing behind the lint")?,
            None => ("", text),
        };
        let (request, answer) = text.split_once("HTTP/1.1 ").ok_or("no answer")?;
        let (head, body) = request.split_once("\n\n").ok_or("no empty line after the head")?;
        let mut head = head.lines();
        let (method, path) = head.next().and_then(|line| line.split_once(' ')).ok_or("no request line")?;
        let headers = head.map(|line| {
            let (name, value) = line.split_once(": ").ok_or("a header without value")?;
            Ok((name.to_owned(), value.to_owned()))
        });
        let (status, answer) = answer.split_once('\n').unwrap_or((answer, ""));
        let json = |text: &str| match text.trim() {
            "" => Ok(None),
            text => serde_json::from_str(text).map(Some).map_err(|error| format!("{error} in {text}")),
        };
        Ok(Self {
            lint: ids.split(", ").filter(|id| !id.is_empty()).map(str::to_owned).collect(),
            method: method.to_owned(),
            path: path.to_owned(),
            headers: headers.collect::<Result<_, String>>()?,
            body: json(body)?,
            status: status.trim().parse().map_err(|_| format!("no status `{status}`"))?,
            answer: json(answer)?,
        })
    }

    /// The attributes of users that the request sends: names of a resource, with sub-attributes, or paths.
    pub(crate) fn attributes(&self) -> Vec<String> {
        match &self.body {
            Some(body) if self.path.starts_with("/Users") => attributes_of(body),
            _ => Vec::new(),
        }
    }
}
