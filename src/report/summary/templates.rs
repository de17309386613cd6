//! The compiled-in templates and what they may call. Strict: an unknown name is an error; whatever is not given to a function is escaped.
//!
//! Reads no template from anywhere: one that somebody else wrote could name a part by its data, loop without end or overflow the stack.

use std::io;
use std::time::Duration;

use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, RenderContext, RenderError,
    RenderErrorReason,
};
use serde::Deserialize as _;
use serde_json::Value;

use super::Error;
use crate::report::chart::{self, Chart};
use crate::report::{escape, units};

/// Name and text of every template.
pub(super) const ALL: [(&str, &str); 21] = [
    ("headline", include_str!("../../../templates/headline.hbs")),
    ("do_now", include_str!("../../../templates/do_now.hbs")),
    ("findings", include_str!("../../../templates/findings.hbs")),
    ("passed", include_str!("../../../templates/passed.hbs")),
    ("cause", include_str!("../../../templates/cause.hbs")),
    ("unknown_cause", include_str!("../../../templates/unknown_cause.hbs")),
    ("notes", include_str!("../../../templates/notes.hbs")),
    ("would_block", include_str!("../../../templates/would_block.hbs")),
    ("candidates", include_str!("../../../templates/candidates.hbs")),
    ("candidates_folded", include_str!("../../../templates/candidates_folded.hbs")),
    ("secrets", include_str!("../../../templates/secrets.hbs")),
    ("secrets_folded", include_str!("../../../templates/secrets_folded.hbs")),
    ("api", include_str!("../../../templates/api.hbs")),
    ("other_causes", include_str!("../../../templates/other_causes.hbs")),
    ("failures", include_str!("../../../templates/failures.hbs")),
    ("timeline", include_str!("../../../templates/timeline.hbs")),
    ("charts", include_str!("../../../templates/charts.hbs")),
    ("collectors", include_str!("../../../templates/collectors.hbs")),
    ("observations", include_str!("../../../templates/observations.hbs")),
    ("timings", include_str!("../../../templates/timings.hbs")),
    ("bundle", include_str!("../../../templates/bundle.hbs")),
];

/// The templates, ready to be rendered.
pub(super) struct Templates(Handlebars<'static>);

impl Templates {
    /// The templates; links may lead to `hosts` alone.
    pub(super) fn new(hosts: Vec<String>) -> Result<Self, Error> {
        let mut registry = Handlebars::new();
        registry.set_strict_mode(true);
        registry.register_escape_fn(escape::plain);
        for (name, write) in [
            ("code", escape::code_span as fn(&str) -> String),
            ("cell", escape::cell),
            ("fence", escape::fence),
            ("prose", escape::prose),
            ("words", escape::prose_cell),
        ] {
            registry.register_helper(name, Box::new(Text(write)));
        }
        registry.register_helper(
            "duration",
            Box::new(Number(|ms| units::duration(Duration::from_millis(ms)))),
        );
        registry.register_helper("bytes", Box::new(Number(units::bytes)));
        registry.register_helper("piece", Box::new(Piece));
        registry.register_helper("chart", Box::new(Picture));
        let named = Link { hosts: hosts.clone(), otherwise: Otherwise::Label };
        registry.register_helper("named", Box::new(named));
        registry.register_helper("link", Box::new(Link { hosts, otherwise: Otherwise::Address }));
        for (name, text) in ALL {
            registry
                .register_template_string(name, text)
                .map_err(|source| Error::Template { name, source: Box::new(source) })?;
        }
        Ok(Self(registry))
    }

    /// The text of one template; a template that writes more than [`MOST`] bytes fails.
    pub(super) fn render(&self, name: &'static str, data: &Value) -> Result<String, Error> {
        let mut out = Limited(Vec::new());
        self.0
            .render_to_write(name, data, &mut out)
            .map_err(|source| Error::Render { name, source: Box::new(source) })?;
        Ok(String::from_utf8_lossy(&out.0).into_owned())
    }
}

/// Most bytes of one template: far more than the rows of any part can have, and far less than the memory.
const MOST: usize = 16 << 20;

/// Holds what is written, up to [`MOST`] bytes.
struct Limited(Vec<u8>);

impl io::Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MOST {
            return Err(io::Error::other(format!("more than {MOST} bytes")));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `{{code x}}` and its like: text in, Markdown out.
struct Text(fn(&str) -> String);

impl HelperDef for Text {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        out.write(&(self.0)(text(helper, 0)?))?;
        Ok(())
    }
}

/// `{{bytes x}}` and its like: a whole number in, words out.
struct Number(fn(u64) -> String);

impl HelperDef for Number {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let number = param(helper, 0)?.as_u64().ok_or_else(|| wrong(helper, "a number"))?;
        out.write(&(self.0)(number))?;
        Ok(())
    }
}

/// `{{piece x}}`: a part of a sentence, by its kind.
struct Piece;

impl HelperDef for Piece {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let piece = param(helper, 0)?;
        let field = |name| piece.get(name).and_then(Value::as_str).unwrap_or_default();
        let words = field("text");
        let shown = match field("kind") {
            "own" => escape::plain(words),
            "id" => format!("**{}**", escape::plain(words)),
            "prose" => escape::prose(words),
            _ => escape::code_span(words),
        };
        out.write(&shown)?;
        Ok(())
    }
}

/// `{{chart x}}`: a chart as Mermaid text and, since not every reader draws that, as lines of block characters.
struct Picture;

impl HelperDef for Picture {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let chart = Chart::deserialize(param(helper, 0)?).map_err(|_| wrong(helper, "a chart"))?;
        if let Some(drawn) = chart::mermaid(&chart) {
            out.write(&drawn)?;
            out.write("\n\n")?;
        }
        out.write(&escape::fence(&chart::text(&chart)))?;
        Ok(())
    }
}

/// `{{link "Label" x}}`: a link when the address may be one, else the address as code; `{{named label x}}`: else the label alone.
struct Link {
    hosts: Vec<String>,
    otherwise: Otherwise,
}

/// What stands where no link may be.
#[derive(Clone, Copy)]
enum Otherwise {
    Address,
    Label,
}

impl HelperDef for Link {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let (label, to) = (text(helper, 0)?, text(helper, 1)?);
        let instead = || match self.otherwise {
            Otherwise::Address => escape::cell(to),
            Otherwise::Label => escape::plain(label),
        };
        out.write(&escape::link(label, to, &self.hosts).unwrap_or_else(instead))?;
        Ok(())
    }
}

fn param<'h>(helper: &'h Helper<'_>, place: usize) -> Result<&'h Value, RenderError> {
    helper
        .param(place)
        .map(handlebars::PathAndJson::value)
        .ok_or_else(|| wrong(helper, "an argument"))
}

fn text<'h>(helper: &'h Helper<'_>, place: usize) -> Result<&'h str, RenderError> {
    param(helper, place)?.as_str().ok_or_else(|| wrong(helper, "a text"))
}

fn wrong(helper: &Helper<'_>, wanted: &str) -> RenderError {
    RenderErrorReason::Other(format!("{} wants {wanted}", helper.name())).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_template_writes_anything_unescaped() {
        for (name, text) in ALL {
            assert!(
                !text.contains("{{{") && !text.contains("{{&") && !text.contains("{{>"),
                "{name}"
            );
        }
    }

    #[test]
    fn a_template_that_writes_without_end_is_stopped() {
        let templates = Templates::new(Vec::new()).unwrap();
        let text = "x".repeat(900);
        let rows: Vec<_> = (0..30_000).map(|_| serde_json::json!({"text": text})).collect();
        let data = serde_json::json!({"rows": rows, "more": 0});
        let error = templates.render("notes", &data).unwrap_err();
        assert_eq!(error.to_string(), "render template notes of the summary");
    }

    #[test]
    fn every_template_file_is_compiled_in() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/templates");
        #[expect(clippy::disallowed_methods, reason = "a test looks at the source tree")]
        let files: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().file_name()).collect();
        assert_eq!(files.len(), ALL.len(), "{files:?}");
    }

    #[test]
    fn table_rows_use_only_what_is_safe_in_a_cell() {
        for (name, text) in ALL {
            for line in text.lines().filter(|line| line.starts_with('|')) {
                for word in ["{{prose", "{{code", "{{fence", "{{piece"] {
                    assert!(!line.contains(word), "{name}: {line}");
                }
            }
        }
    }

    #[test]
    fn the_headline_of_a_part_is_constant() {
        for (name, text) in ALL {
            for line in
                text.lines().filter(|line| line.contains("<summary>") || line.starts_with("####"))
            {
                for word in ["{{prose", "{{code", "{{fence", "{{piece", "{{cell"] {
                    assert!(!line.contains(word), "{name}: {line}");
                }
            }
        }
    }

    #[test]
    fn a_name_that_the_data_lacks_is_an_error() {
        let templates = Templates::new(Vec::new()).unwrap();
        let error = templates.render("findings", &serde_json::json!({"rows": [{}]})).unwrap_err();
        assert_eq!(error.to_string(), "render template findings of the summary");
    }
}
