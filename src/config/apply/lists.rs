//! Lists that the file and an input fill together: endpoints, variables, tools.

use super::super::value::Endpoint;
use super::super::{Origin, Tool};
use super::Build;

impl Build<'_> {
    pub(super) fn endpoints(&mut self, from_file: &[String]) -> Vec<Endpoint> {
        let mut endpoints = Vec::new();
        for (at, text) in from_file.iter().enumerate() {
            match Endpoint::parse(text) {
                Ok(endpoint) => endpoints.push(endpoint),
                Err(problem) => {
                    let help = "one endpoint an item";
                    self.wrong(&format!("network.endpoints[{at}]"), problem, help);
                }
            }
        }
        for text in &self.inputs.list("endpoints") {
            match Endpoint::parse(text) {
                Ok(endpoint) => {
                    let path = format!("network.endpoints[{}]", endpoints.len());
                    self.origins.set(path, self.inputs.origin("endpoints"));
                    endpoints.push(endpoint);
                }
                Err(problem) => self.wrong_input("endpoints", problem, "one endpoint a line"),
            }
        }
        endpoints
    }

    /// Names of variables from the file and from the input, each once.
    pub(super) fn variables(&mut self, from_file: Vec<String>) -> Vec<String> {
        const INPUT: &str = "required-variables";
        let of_file: Vec<(String, Origin)> = from_file
            .into_iter()
            .enumerate()
            .map(|(at, name)| (name, self.origins.of(&format!("variables[{at}]"))))
            .collect();
        let of_input = self.inputs.list(INPUT).into_iter();
        let of_input: Vec<(String, Origin)> =
            of_input.map(|name| (name, self.inputs.origin(INPUT))).collect();
        self.origins.forget("variables");
        let mut names: Vec<String> = Vec::new();
        for (at, (name, origin)) in of_file.into_iter().chain(of_input).enumerate() {
            let name = name.trim().to_ascii_uppercase();
            let right = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if name.is_empty() || !name.chars().all(right) {
                let (message, help) =
                    (format!("`{name}` is not a name"), "only letters, digits and `_`");
                match origin {
                    Origin::Input(_) | Origin::Flag(_) => self.wrong_input(INPUT, message, help),
                    Origin::Default | Origin::File { .. } | Origin::Environment { .. } => {
                        self.wrong(&format!("variables[{at}]"), message, help);
                    }
                }
            } else if !names.contains(&name) {
                self.origins.set(format!("variables[{}]", names.len()), origin);
                names.push(name);
            }
        }
        names
    }

    pub(super) fn tools(&mut self, raw: &[String]) -> Vec<Tool> {
        let read = |(at, text): (usize, &String)| {
            let tool = tool(text);
            if tool.is_none() {
                let message = format!("`{text}` is not a program");
                let help = "write `rsync` or `ansible >= 2.15`";
                self.wrong(&format!("tools[{at}]"), message, help);
            }
            tool
        };
        raw.iter().enumerate().filter_map(read).collect()
    }
}

/// `ansible` or `ansible >= 2.15`.
fn tool(text: &str) -> Option<Tool> {
    let (name, at_least) = match text.split_once(">=") {
        Some((name, version)) => (name.trim(), Some(version.trim().to_owned())),
        None => (text.trim(), None),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+');
    let version = at_least
        .as_deref()
        .is_none_or(|v| v.starts_with(|c: char| c.is_ascii_digit()) && v.chars().all(plain));
    let is_name = !name.is_empty() && !name.starts_with('-') && name.chars().all(plain);
    (is_name && version).then(|| Tool { name: name.to_owned(), at_least })
}
