//! The kinds of servers: each takes the same first form, and what else it takes shows in its answers.

use runner_guard::actions::artifact::Kind;

use super::{BLOCK, Case, NUMBERS, UUIDS, bytes, github};
use crate::support::fake_artifacts::Mode;
use crate::support::fake_github::{FakeGitHub, Fault, Script};

fn server(artifacts: Mode) -> FakeGitHub {
    FakeGitHub::start(Script { artifacts, ..Script::default() })
}

fn page() -> Case {
    Case {
        name: "box-report.html",
        kind: Kind::Page,
        ..Case::of(b"<!doctype html><title>Report</title>".to_vec())
    }
}

#[tokio::test]
async fn gitea_and_forgejo_keep_exactly_what_was_uploaded() {
    for mode in [Mode::Gitea, Mode::Forgejo(usize::MAX)] {
        let server = server(mode);
        let case = Case::of(bytes(2 * BLOCK + 7));
        let uploaded = case.run(&server, NUMBERS).await.unwrap_or_else(|e| panic!("{}", e.chain()));
        assert!(!uploaded.takes_pages);
        assert!(server.artifact("box").is_some_and(|stored| stored == case.bytes));
    }
}

#[tokio::test]
async fn two_artifacts_of_one_run_do_not_mix_their_blocks_on_gitea() {
    let server = server(Mode::Gitea);
    let (one, two) = (Case::of(bytes(BLOCK)), Case { name: "two", ..Case::of(vec![7; BLOCK]) });
    one.run(&server, NUMBERS).await.expect("uploaded");
    two.run(&server, NUMBERS).await.expect("uploaded");
    assert!(server.artifact("box").is_some_and(|stored| stored == one.bytes));
    assert!(server.artifact("two").is_some_and(|stored| stored == two.bytes));
}

#[tokio::test]
async fn a_server_that_lists_no_digest_is_not_asked_for_one() {
    for mode in [Mode::Act, Mode::Gitea] {
        let server = server(mode);
        Case::of(bytes(10)).run(&server, NUMBERS).await.expect("uploaded");
        assert!(server.requests().iter().all(|r| !r.target.ends_with("ListArtifacts")));
        let md5 = server.requests().iter().any(|r| r.header("content-md5").is_some());
        assert!(!md5, "it would not be looked at");
    }
}

#[tokio::test]
async fn a_full_forgejo_says_so_at_once() {
    let server = server(Mode::Forgejo(5));
    let error = Case::of(bytes(10)).run(&server, NUMBERS).await.expect_err("no room");
    assert_eq!((error.status(), server.requests().len()), (Some(413), 2));
    assert!(error.help().is_some_and(|h| h.contains("quota")));
}

#[tokio::test]
async fn an_enterprise_server_without_the_service_is_told_what_to_do() {
    let server = server(Mode::Ghes);
    let error = Case::of(bytes(10)).run(&server, UUIDS).await.expect_err("no service");
    assert!(error.chain().ends_with("answered status 404: Page not found"), "{}", error.chain());
    assert!(error.help().is_some_and(|h| h.contains("GitHub Enterprise Server")));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_page_is_kept_as_a_page_where_the_server_takes_one() {
    let server = server(Mode::GitHub);
    let uploaded = page().run(&server, UUIDS).await.expect("uploaded");
    assert!(uploaded.takes_pages);
    assert_eq!(server.artifact("box-report.html"), Some(page().bytes));
    assert_eq!(server.artifact_kind("box-report.html"), Some("text/html"));
    let body: serde_json::Value = serde_json::from_slice(&server.requests()[0].body).expect("JSON");
    assert_eq!((&body["version"], &body["mime_type"]), (&7.into(), &"text/html".into()));
}

#[tokio::test]
async fn a_page_is_never_turned_into_a_zip() {
    for mode in [Mode::Act, Mode::Gitea] {
        let error = page().run(&server(mode), NUMBERS).await.expect_err("it knows no pages");
        assert_eq!(error.status(), Some(500));
    }
}

#[tokio::test]
async fn every_block_for_a_blob_store_has_its_sum() {
    let server = github(vec![Fault::status("comp=block&", 1, 503)]);
    Case::of(b"message digest".to_vec()).run(&server, UUIDS).await.expect("uploaded");
    let requests = server.requests();
    let sums: Vec<Option<&str>> = requests
        .iter()
        .filter(|r| r.target.contains("comp=block&"))
        .map(|r| r.header("content-md5"))
        .collect();
    assert_eq!(sums, [Some("+WtpfXy3k41SWi8xqvFh0A=="); 2]);
}
