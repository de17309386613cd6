//! The findings of the gate as JUnit XML, for everything that shows test reports: one test case for every finding.
//!
//! Only characters that XML 1.0 allows come out, and nothing from outside can end its element. Every text is redacted once more on its
//! own, so that a replacement can not break the document.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Finding, Report, Status, Verdict, escape, story};
use crate::redact::{Redacted, Redactor};

/// The longest text of an element, in characters.
const BODY: usize = 4096;

/// The longest attribute, in characters.
const ATTRIBUTE: usize = 1000;

/// The document; ends with a line end. `warn` is a test that passed and says something, `unknown` is an error, `fail` a failure.
pub fn to_junit(report: &Report, redactor: &Redactor) -> Redacted {
    let mut page = Page { out: String::new(), redactor };
    page.document(report);
    // Redacted piece by piece; this pass finds nothing and only makes the type.
    redactor.redact_page(&page.out)
}

struct Page<'a> {
    out: String,
    redactor: &'a Redactor,
}

impl Page<'_> {
    fn document(&mut self, report: &Report) {
        let of = |status| report.findings.iter().filter(|f| f.status == status).count();
        let counts = format!(
            "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{}\"",
            report.findings.len(),
            of(Status::Fail),
            of(Status::Unknown),
            of(Status::Skipped),
            seconds(report.took)
        );
        self.line(0, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
        self.line(0, &format!("<testsuites name=\"runner-guard\" {counts}>"));
        self.line(1, &format!("<testsuite name=\"runner-guard preflight\" {counts}>"));
        self.properties(report);
        for finding in &report.findings {
            self.case(report, finding);
        }
        self.line(1, "</testsuite>");
        self.line(0, "</testsuites>");
    }

    fn properties(&mut self, report: &Report) {
        let chosen = report.selection.as_ref().and_then(super::Selection::chosen);
        let failed_over = report.selection.as_ref().is_some_and(super::Selection::failed_over);
        let yes = |is: bool| if is { "true" } else { "false" };
        self.line(2, "<properties>");
        for (name, value) in [
            ("verdict", report.verdict.as_ref().map_or("", Verdict::word)),
            ("shadow", yes(report.shadow)),
            ("partial", yes(report.partial)),
            ("environment", report.job.environment.as_str()),
            ("runner", chosen.map_or("", |c| c.name.as_str())),
            ("failed-over", yes(failed_over)),
        ] {
            let value = self.attribute(value);
            self.line(3, &format!("<property name=\"{name}\" value=\"{value}\"/>"));
        }
        self.line(2, "</properties>");
    }

    fn case(&mut self, report: &Report, finding: &Finding) {
        let about = finding.runner.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
        let name = self.attribute(&format!("{}{about}", finding.question));
        let head = format!(
            "<testcase classname=\"{}\" name=\"{name}\" time=\"{}\"",
            finding.check,
            seconds(finding.took)
        );
        let said = self.attribute(finding.summary.as_str());
        let body = self.text(&advice(report, finding));
        let inside = match finding.status {
            Status::Pass => None,
            Status::Warn => Some(format!("<system-out>{body}</system-out>")),
            Status::Fail => {
                Some(format!("<failure message=\"{said}\" type=\"fail\">{body}</failure>"))
            }
            Status::Unknown => {
                Some(format!("<error message=\"{said}\" type=\"unknown\">{body}</error>"))
            }
            Status::Skipped => Some(format!("<skipped message=\"{said}\"/>")),
        };
        match inside {
            None => self.line(2, &format!("{head}/>")),
            Some(inside) => {
                self.line(2, &format!("{head}>"));
                self.line(3, &inside);
                self.line(2, "</testcase>");
            }
        }
    }

    fn line(&mut self, depth: usize, text: &str) {
        let _ = writeln!(self.out, "{}{text}", "  ".repeat(depth));
    }

    fn attribute(&self, text: &str) -> String {
        let text = self.redactor.redact(text);
        escaped(&escape::one_line(text.as_str(), ATTRIBUTE))
    }

    fn text(&self, text: &str) -> String {
        let text = self.redactor.redact(text);
        escaped(&escape::cut(&escape::clean(text.as_str()), BODY))
    }
}

/// What was found, what to do now, and where it is written.
fn advice(report: &Report, finding: &Finding) -> String {
    let mut lines = vec![finding.summary.as_str().to_owned()];
    lines.extend(finding.help.as_ref().map(|help| format!("what to do now: {help}")));
    lines.extend(story::place(finding.runbook, finding.check).map(|stem| {
        let hosts: Vec<_> = escape::host(&report.runbooks).into_iter().collect();
        match escape::runbook(&report.runbooks, &stem, &hosts) {
            escape::Place::Address(place) | escape::Place::Path(place) => {
                format!("runbook: {place}")
            }
        }
    }));
    lines.join("\n")
}

/// Text that may stand in an element and in an attribute; characters that XML does not know are gone.
fn escaped(text: &str) -> String {
    let known = |c: char| {
        matches!(c, '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
            && !matches!(c, '\u{7f}'..='\u{9f}')
    };
    let mut out = String::with_capacity(text.len());
    for c in text.chars().filter(|c| known(*c)) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c => out.push(c),
        }
    }
    out
}

/// Seconds with three decimals, as `1.250`.
fn seconds(took: Duration) -> String {
    format!("{}.{:03}", took.as_secs(), took.subsec_millis())
}

#[cfg(test)]
mod tests {
    use super::super::Outcome;
    use super::super::sample::{blocked, finding};
    use super::*;

    fn shown(report: &Report) -> String {
        to_junit(report, &Redactor::new(&[])).as_str().to_owned()
    }

    #[test]
    fn every_finding_is_one_case_of_its_kind() {
        let page = shown(&blocked());
        assert!(page.starts_with(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"runner-guard\" tests=\"6\" failures=\"1\" errors=\"1\" skipped=\"1\" time=\"1.250\">\n"
        ), "{page}");
        for part in [
            "      <property name=\"verdict\" value=\"block\"/>\n",
            "    <testcase classname=\"runner-online\" name=\"Is it so? (prod-a)\" time=\"0.042\"/>\n",
            "      <system-out>DEPLOY_KEY was changed 200 days ago\nwhat to do now: rotate DEPLOY_KEY\nrunbook: https://github.com/octo/guard/blob/v1/docs/runbooks/secret-age.md#secret-age</system-out>\n",
            "      <failure message=\"1.2 GiB free of 100 GiB (limit 5 GiB)\" type=\"fail\">1.2 GiB free",
            "      <error message=\"query http://prometheus:9090: no answer within 1.5 s\" type=\"unknown\">",
            "      <skipped message=\"no docker is asked for\"/>\n",
        ] {
            assert!(page.contains(part), "{part}\n{page}");
        }
    }

    #[test]
    fn no_text_leaves_its_element_and_no_control_character_stays() {
        let bad = "</failure>]]><!-- \" ' & \u{1}\u{0}\u{1b}[31m\u{fffe}\u{85}";
        let mut report = blocked();
        report.findings = vec![finding("disk-space", "<r&\"", Outcome::fail(bad).help(bad))];
        let page = shown(&report);
        assert_eq!(page.matches("</failure>").count(), 1, "{page}");
        assert!(page.contains("name=\"Is it so? (&lt;r&amp;&quot;)\""), "{page}");
        assert!(!page.contains("<!--") && !page.contains("]]>"));
        assert!(page.chars().all(|c| c == '\n' || !c.is_control() && c != '\u{fffe}'), "{page:?}");
    }
}
