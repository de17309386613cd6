//! The only way by which anything gets into the page: constant tag names, and text that is escaped for where it stands.
//!
//! There is no raw output: what a log says can not become markup, whatever the caller does.

use crate::report::escape;

/// Elements that have no end.
const VOID: [&str; 4] = ["meta", "input", "link", "img"];

/// Elements inside of a line; a line end behind them would be a space.
const INLINE: [&str; 4] = ["a", "code", "strong", "span"];

/// A document that grows.
pub(super) struct Html {
    out: String,
    open: Vec<&'static str>,
    hosts: Vec<String>,
}

impl Html {
    /// An empty document whose links may lead to `hosts` alone.
    pub(super) fn new(hosts: Vec<String>) -> Self {
        Self { out: "<!doctype html>\n".to_owned(), open: Vec::new(), hosts }
    }

    /// Opens an element.
    pub(super) fn start(&mut self, tag: &'static str, attributes: &[(&'static str, &str)]) {
        self.out.push('<');
        self.out.push_str(tag);
        for (name, value) in attributes {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            self.out.push_str(&escape::html(value));
            self.out.push('"');
        }
        self.out.push('>');
        if !VOID.contains(&tag) {
            self.open.push(tag);
        }
    }

    /// Closes the element that was opened last.
    pub(super) fn end(&mut self) {
        if let Some(tag) = self.open.pop() {
            self.out.push_str("</");
            self.out.push_str(tag);
            self.out.push_str(if INLINE.contains(&tag) { ">" } else { ">\n" });
        }
    }

    /// Text.
    pub(super) fn text(&mut self, text: &str) {
        self.out.push_str(&escape::html(text));
    }

    /// An element that holds nothing but text.
    pub(super) fn leaf(&mut self, tag: &'static str, class: &'static str, text: &str) {
        let class = [("class", class)];
        self.start(tag, if class[0].1.is_empty() { &[] } else { &class });
        self.text(text);
        self.end();
    }

    /// A log excerpt, as it is.
    pub(super) fn pre(&mut self, text: &str) {
        // The first line end behind `<pre>` does not count, so one is given away.
        self.start("pre", &[]);
        self.out.push('\n');
        self.text(text);
        self.end();
    }

    /// A link with a label of ours when the address may be one, else the label and, when it is of use, the address as text.
    pub(super) fn link(&mut self, label: &str, to: &str) {
        match escape::address(to, &self.hosts) {
            Some(safe) => {
                self.start("a", &[("href", &safe), ("rel", "noreferrer noopener")]);
                self.text(label);
                self.end();
            }
            None if to.is_empty() => self.text(label),
            None => {
                self.text(label);
                self.text(" ");
                self.leaf("code", "", to);
            }
        }
    }

    /// A link to a place on this page; `place` is made by us.
    pub(super) fn jump(&mut self, label: &str, place: &str) {
        self.start("a", &[("href", &format!("#{place}"))]);
        self.text(label);
        self.end();
    }

    /// A constant text that the browser reads by other rules than text: style or script. Both are compiled in.
    pub(super) fn constant(&mut self, tag: &'static str, body: &'static str) {
        self.start(tag, &[]);
        self.out.push_str(body);
        self.end();
    }

    /// Bytes so far.
    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    /// The whole document; what is still open is closed.
    pub(super) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.end();
        }
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_attributes_never_become_markup() {
        let mut html = Html::new(Vec::new());
        html.start("p", &[("title", "\"><script>x</script>")]);
        html.text("</p><script>alert(1)</script>");
        let page = html.finish();
        assert!(!page.contains("<script"), "{page}");
        assert!(page.ends_with("</p>\n"), "{page}");
        assert_eq!(page.matches('"').count(), 2, "{page}");
    }

    #[test]
    fn only_addresses_of_known_hosts_become_links() {
        let mut html = Html::new(vec!["github.com".to_owned()]);
        html.link("Run", "https://github.com/o/r");
        html.link("Run", "javascript:alert(1)");
        html.link("Run", "https://evil.example/");
        let page = html.finish();
        assert_eq!(page.matches("<a ").count(), 1, "{page}");
        assert!(page.contains("<code>javascript:alert(1)</code>"), "{page}");
    }
}
