//! What the log of a worker says about its job: who it is, how each step ended, how the job ended.

use serde::{Deserialize, Serialize};

use super::super::brief::brief;
use super::record::{self, Record};

/// What is kept at most.
const STEPS: usize = 500;
const LINES: usize = 80;
const LONGEST: usize = 600;
const RUNS: usize = 8;
/// The largest telemetry block of a step, in bytes.
const BLOCK: usize = 64 * 1024;

/// One step as its telemetry tells.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Step {
    /// Its name as the run page shows it.
    pub name: String,
    /// What it uses, with the ref: `actions/checkout@v4`; empty for `run`.
    pub uses: String,
    /// `run`, `node20`, `Dockerfile`, `DockerHub`, `composite`.
    pub kind: String,
    /// `Pre`, `Main` or `Post`.
    pub stage: String,
    /// `succeeded`, `failed`, `cancelled`, `skipped`.
    pub result: String,
    /// Its first error messages.
    pub errors: Vec<String>,
    /// When it started.
    pub started: String,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// What one worker log says.
#[derive(Debug, Clone, Default)]
pub struct WorkerLog {
    /// Time of the first and of the last line.
    pub words: Option<(i64, i64)>,
    /// Id of the job.
    pub job_id: Option<String>,
    /// Id of its plan.
    pub plan_id: Option<String>,
    /// Key of the job in the workflow file.
    pub job_key: Option<String>,
    /// The numbers that the job message calls a run id: that of the run, and those that its event tells of.
    pub runs: Vec<String>,
    /// The steps that ended.
    pub steps: Vec<Step>,
    /// The step that began and has not ended.
    pub under_way: Option<String>,
    /// The job's result after all its steps.
    pub result: Option<String>,
    /// Whether the last word is `Job completed.`
    pub completed: bool,
    /// Processes that steps left behind and the runner ended.
    pub orphans: Vec<String>,
    /// Lines of errors, as they stand in the log.
    pub errors: Vec<String>,
    part: Part,
    block: String,
    before: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Other,
    Message,
    Telemetry,
    Trouble,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Telemetry {
    action: Option<String>,
    r#ref: Option<String>,
    r#type: Option<String>,
    stage: Option<String>,
    result: Option<String>,
    error_messages: Option<Vec<String>>,
    execution_time_in_seconds: Option<f64>,
    start_time: Option<String>,
}

impl WorkerLog {
    /// Reads a log.
    pub fn of(text: &str) -> Self {
        let mut log = Self::default();
        for line in text.lines() {
            match record::record(line) {
                Some(record) => log.take(&record, line),
                None => log.go_on(line.trim_end_matches('\r')),
            }
        }
        log
    }

    /// Whether the log is that of this run: `None` when it does not say.
    pub fn is_of_run(&self, run: &str) -> Option<bool> {
        (!self.runs.is_empty()).then(|| self.runs.iter().any(|known| known == run))
    }

    fn take(&mut self, record: &Record<'_>, line: &str) {
        let (at, said) = (record.at, record.message);
        self.words = Some((self.words.map_or(at, |(first, _)| first), at));
        self.part = if record.trouble { Part::Trouble } else { Part::Other };
        if record.trouble {
            self.keep(line);
        }
        if let Some((_, pid)) = said.split_once("Terminate orphan process: ") {
            push(&mut self.orphans, pid);
        }
        if said.starts_with("Job message:") {
            self.part = Part::Message;
        } else if said.starts_with("Publish step telemetry for current step {") {
            self.part = Part::Telemetry;
            "{".clone_into(&mut self.block);
        } else if let Some(name) = said.strip_prefix("Processing step: DisplayName='") {
            self.under_way = Some(cut(name.trim_end_matches('\'')));
        } else if let Some(id) = said.strip_prefix("Job ID ") {
            self.job_id.get_or_insert_with(|| cut(id.trim()));
        } else if let Some(result) = said.strip_prefix("Job result after all job steps finish: ") {
            self.result = Some(cut(result.trim()));
            self.under_way = None;
        } else if said.starts_with("Job completed.") {
            self.completed = true;
        }
    }

    /// A line that continues what was said before it.
    fn go_on(&mut self, line: &str) {
        match self.part {
            Part::Message => self.of_message(line),
            Part::Trouble => self.keep(line),
            Part::Telemetry if line.trim() == "}." => {
                self.block.push('}');
                self.end_step();
                self.part = Part::Other;
            }
            Part::Telemetry if self.block.len() < BLOCK => {
                self.block.push_str(line);
                self.block.push('\n');
            }
            Part::Telemetry | Part::Other => {}
        }
    }

    fn of_message(&mut self, line: &str) {
        let line = line.trim().trim_end_matches(',');
        let value =
            |key: &str| line.strip_prefix(key).map(|v| v.trim().trim_matches('"').to_owned());
        if let Some(id) = value("\"jobId\":") {
            self.job_id.get_or_insert(id);
        } else if let Some(id) = value("\"planId\":") {
            self.plan_id.get_or_insert(id);
        } else if let Some(run) = value("\"v\":").filter(|_| self.before == "\"k\": \"run_id\"") {
            if self.runs.len() < RUNS && !run.is_empty() {
                self.runs.push(run);
            }
        } else if let Some(key) =
            value("\"value\":").filter(|_| self.before.starts_with("\"system.github.job\":"))
        {
            self.job_key.get_or_insert(key);
        }
        self.before = cut(line);
    }

    fn end_step(&mut self) {
        let name = self.under_way.take().unwrap_or_default();
        let Ok(read) = serde_json::from_str::<Telemetry>(&self.block) else { return };
        if self.steps.len() >= STEPS {
            return;
        }
        let action = read.action.unwrap_or_default();
        let uses = read
            .r#ref
            .filter(|r| !r.is_empty() && !action.is_empty())
            .map_or(action.clone(), |r| format!("{action}@{r}"));
        self.steps.push(Step {
            name,
            uses,
            kind: read.r#type.unwrap_or_default(),
            stage: read.stage.unwrap_or_default(),
            // The runner leaves the result out when the step went well.
            result: read.result.filter(|r| !r.is_empty()).unwrap_or_else(|| "succeeded".to_owned()),
            errors: read.error_messages.unwrap_or_default(),
            started: read.start_time.unwrap_or_default(),
            seconds: read.execution_time_in_seconds.unwrap_or_default(),
        });
    }

    fn keep(&mut self, line: &str) {
        push(&mut self.errors, line);
    }
}

fn push(lines: &mut Vec<String>, line: &str) {
    if lines.len() >= LINES {
        lines.remove(LINES / 2);
    }
    lines.push(cut(line));
}

fn cut(line: &str) -> String {
    brief(line, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\u{feff}[2026-01-31 10:00:00Z INFO Worker] Job message:
{
  \"jobId\": \"0c0ffee0-0000-4000-8000-000000000001\",
  \"plan\": {
    \"planId\": \"0c0ffee0-0000-4000-8000-0000000000aa\"
  },
  \"variables\": {
    \"system.github.job\": {
      \"value\": \"deploy\"
    }
  },
            \"k\": \"run_id\",
            \"v\": \"77\"
            \"k\": \"body\",
            \"v\": \"text\"
}
[2026-01-31 10:00:01Z INFO StepsRunner] Processing step: DisplayName='Ship it'
[2026-01-31 10:00:09Z ERR  StepsRunner] Caught exception from step: System.IO.IOException: broken
   at Some.Where()
[2026-01-31 10:00:09Z INFO ExecutionContext] Publish step telemetry for current step {
  \"action\": \"octo/ship\", \"ref\": \"v1\", \"type\": \"node20\", \"stage\": \"Main\", \"result\": \"failed\",
  \"errorMessages\": [\"it broke\"], \"executionTimeInSeconds\": 8, \"startTime\": \"2026-01-31T10:00:01Z\"
}.
[2026-01-31 10:00:10Z INFO StepsRunner] Processing step: DisplayName='Tidy'
";

    #[test]
    fn the_job_and_its_steps_are_read() {
        let log = WorkerLog::of(LOG);
        assert_eq!(log.job_id.as_deref(), Some("0c0ffee0-0000-4000-8000-000000000001"));
        assert_eq!(log.plan_id.as_deref(), Some("0c0ffee0-0000-4000-8000-0000000000aa"));
        assert_eq!((log.job_key.as_deref(), &log.runs), (Some("deploy"), &vec!["77".to_owned()]));
        assert_eq!((log.is_of_run("77"), log.is_of_run("7")), (Some(true), Some(false)));
        let step = &log.steps[0];
        assert_eq!(
            (&*step.name, &*step.uses, &*step.result),
            ("Ship it", "octo/ship@v1", "failed")
        );
        assert_eq!(step.errors, ["it broke"]);
        assert_eq!((log.under_way.as_deref(), log.completed), (Some("Tidy"), false));
        assert_eq!(log.errors.len(), 2);
    }

    #[test]
    fn the_end_of_the_job_is_read() {
        let end = "[2026-01-31 10:00:11Z INFO JobRunner] Terminate orphan process: pid (7) (node)\n\
                   [2026-01-31 10:00:11Z INFO JobRunner] Job result after all job steps finish: Failed\n\
                   [2026-01-31 10:00:12Z INFO Worker] Job completed.\n";
        let log = WorkerLog::of(&format!("{LOG}{end}"));
        assert_eq!(
            (log.result.as_deref(), log.completed, log.under_way),
            (Some("Failed"), true, None)
        );
        assert_eq!(log.orphans, ["pid (7) (node)"]);
        assert_eq!(log.words, Some((1_769_853_600, 1_769_853_612)));
    }

    #[test]
    fn a_broken_block_costs_its_step_alone() {
        let text = "[2026-01-31 10:00:09Z INFO X] Publish step telemetry for current step {\n \"a\": [\n}.\n";
        let log = WorkerLog::of(&format!("{text}{LOG}"));
        assert_eq!((log.steps.len(), WorkerLog::of("").is_of_run("1")), (1, None));
    }

    proptest::proptest! {
        #[test]
        fn no_log_makes_it_panic(lines in proptest::collection::vec("(\\[2026-01-31 10:00:00Z (ERR |INFO) A\\] )?(Job message:|Publish step telemetry for current step \\{|\\}\\.|Processing step: DisplayName='|\"k\": \"run_id\",|ä){0,3}", 0..20)) {
            let _ = WorkerLog::of(&lines.join("\n"));
        }
    }
}
