//! How far every host came: its last task, what changed there, and which handlers were notified and did not run.

use std::collections::HashMap;
use std::rc::Rc;

use super::grammar::Effect;
use super::model::{Progress, Running, Waiting};
use super::prefix::cut;
use super::state::Room;

/// Hosts whose way is followed.
const HOSTS: usize = 5_000;
/// In all runs that are read at once.
const HOSTS_IN_ALL: usize = 20_000;
/// Tasks and handlers that are remembered of one host.
const REMEMBERED: usize = 32;
/// Over all hosts of a run.
const REMEMBERED_IN_ALL: usize = 20_000;
const NAME_CAP: usize = 1 << 10;

/// The ways of all hosts of one run, while it is read.
#[derive(Debug, Default)]
pub(super) struct Ways {
    room: Rc<Room>,
    hosts: HashMap<String, Way>,
    /// Handlers that the next change will notify: core 2.17 and later names them before the result.
    announced: Vec<Rc<str>>,
    remembered: usize,
}

#[derive(Debug, Default)]
struct Way {
    changed: u64,
    changed_in: usize,
    task_no: usize,
    task: Rc<str>,
    /// Whether something went well since its last failure.
    passed: bool,
    /// The play that the lists are of.
    play_no: usize,
    changes: Vec<Rc<str>>,
    notified: Vec<Rc<str>>,
    handled: Vec<Rc<str>>,
}

/// Where the reader stands when a result comes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stand<'a> {
    pub(super) task: &'a Rc<str>,
    pub(super) task_no: usize,
    pub(super) play_no: usize,
    pub(super) handler: bool,
}

impl Drop for Ways {
    fn drop(&mut self) {
        self.room.hosts.set(self.room.hosts.get().saturating_sub(self.hosts.len()));
    }
}

impl Ways {
    /// No host yet.
    pub(super) fn new(room: &Rc<Room>) -> Self {
        let (hosts, announced) = (HashMap::new(), Vec::new());
        Self { room: Rc::clone(room), hosts, announced, remembered: 0 }
    }

    /// A host has a result that is no failure; the items of a loop count once.
    pub(super) fn passed(&mut self, host: &str, stand: Stand<'_>, effect: Effect) {
        let announced = std::mem::take(&mut self.announced);
        let room = &mut self.remembered;
        let Some(way) = way(&mut self.hosts, &self.room, host) else { return };
        way.passed |= effect != Effect::Skipped;
        way.came_to(stand, room);
        if effect != Effect::Changed {
            return;
        }
        for handler in announced {
            keep(&mut way.notified, handler, room);
        }
        if way.changed_in != stand.task_no {
            (way.changed, way.changed_in) = (way.changed + 1, stand.task_no);
            if !stand.handler {
                keep(&mut way.changes, Rc::clone(stand.task), room);
            }
        }
    }

    /// A host failed; the answer is whether something had gone well on it since its failure before this one.
    pub(super) fn failed(&mut self, host: &str, stand: Option<Stand<'_>>) -> bool {
        self.announced.clear();
        let Some(stand) = stand else {
            return self.hosts.get_mut(host).is_some_and(|way| std::mem::take(&mut way.passed));
        };
        let Some(way) = way(&mut self.hosts, &self.room, host) else { return false };
        way.came_to(stand, &mut self.remembered);
        std::mem::take(&mut way.passed)
    }

    /// A result that may turn out to be a part of a message: it makes no host known.
    pub(super) fn passed_in_doubt(&mut self, host: &str) {
        if let Some(way) = self.hosts.get_mut(host) {
            way.passed = true;
        }
    }

    /// `NOTIFIED HANDLER app : Restart for web1`, or from core 2.17 on `Notification for handler Restart has been saved.`
    pub(super) fn notice(&mut self, line: &str) {
        if let Some(rest) = line.strip_prefix("NOTIFIED HANDLER ") {
            let Some((handler, host)) = rest.trim_end().rsplit_once(" for ") else { return };
            if let Some(way) = self.hosts.get_mut(host) {
                keep(&mut way.notified, cut(handler, NAME_CAP).into(), &mut self.remembered);
            }
            return;
        }
        let rest = line.strip_prefix("Notification for handler ");
        let handler = rest.and_then(|r| r.trim_end().strip_suffix(" has been saved."));
        if let Some(handler) = handler.filter(|_| self.announced.len() < REMEMBERED) {
            self.announced.push(cut(handler, NAME_CAP).into());
        }
    }

    /// Every host that has a result, by name.
    pub(super) fn progress(&self) -> Vec<Progress> {
        let of = |(name, way): (&String, &Way)| Progress {
            host: name.clone(),
            changed: way.changed,
            last_task: way.task.to_string(),
        };
        let mut all: Vec<_> = self.hosts.iter().map(of).collect();
        all.sort_by(|a, b| a.host.cmp(&b.host));
        all
    }

    /// What waits on the hosts for which `stopped` holds: the changes of their last play, and handlers that did not run.
    pub(super) fn waiting(&self, stopped: impl Fn(&str) -> bool) -> Vec<Waiting> {
        let names = |list: &[Rc<str>]| list.iter().map(ToString::to_string).collect();
        let of = |(host, way): (&String, &Way)| Waiting {
            host: host.clone(),
            changes: names(&way.changes),
            notified: names(&way.notified),
            handled: names(&way.handled),
        };
        let mut all: Vec<_> = self
            .hosts
            .iter()
            .filter(|(host, way)| {
                !(way.changes.is_empty() && way.notified.is_empty()) && stopped(host)
            })
            .map(of)
            .collect();
        all.sort_by(|a, b| a.host.cmp(&b.host));
        all
    }

    /// What was going on when the text ended: the last task, and the hosts of its play that have no result of it.
    pub(super) fn running(&self, task: &str, task_no: usize, play_from: usize) -> Option<Running> {
        let of_play = || self.hosts.iter().filter(|(_, way)| way.task_no > play_from);
        let mut hosts: Vec<String> = of_play()
            .filter(|(_, way)| way.task_no != task_no)
            .map(|(name, _)| name.clone())
            .collect();
        if hosts.is_empty() && of_play().next().is_some() {
            return None;
        }
        hosts.sort();
        Some(Running { task: task.to_owned(), hosts })
    }
}

impl Way {
    fn came_to(&mut self, stand: Stand<'_>, room: &mut usize) {
        if self.task_no != stand.task_no {
            self.task_no = stand.task_no;
            self.task = Rc::clone(stand.task);
        }
        if self.play_no != stand.play_no {
            // The play before ended with its handlers.
            *room -= self.changes.len() + self.notified.len() + self.handled.len();
            self.play_no = stand.play_no;
            self.changes.clear();
            self.notified.clear();
            self.handled.clear();
        }
        if stand.handler {
            keep(&mut self.handled, Rc::clone(stand.task), room);
        }
    }
}

fn way<'a>(hosts: &'a mut HashMap<String, Way>, room: &Room, host: &str) -> Option<&'a mut Way> {
    if !hosts.contains_key(host) {
        let in_all = room.hosts.get();
        if hosts.len() >= HOSTS || in_all >= HOSTS_IN_ALL {
            return None;
        }
        room.hosts.set(in_all + 1);
        hosts.insert(cut(host, NAME_CAP).to_owned(), Way::default());
    }
    hosts.get_mut(host)
}

fn keep(list: &mut Vec<Rc<str>>, name: Rc<str>, room: &mut usize) {
    if list.len() < REMEMBERED && *room < REMEMBERED_IN_ALL && !list.contains(&name) {
        list.push(name);
        *room += 1;
    }
}
