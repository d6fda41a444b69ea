//! The processes that parse documents: what they may do, and that a bad document affects only
//! itself.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use privachat_tests::{binaries, eventually};
use privachat_worker::parser::{Format, Origin, ParseError, ParseJob, ParsedDocument, ParserPool};
use privachat_worker::pipeline::Deadline;
use privachat_worker::providers::local::{CorpusSettings, LocalCorpus};
use rustix::process::{
    Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit, test_kill_process,
};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

const TIMEOUT: Duration = Duration::from_secs(60);
const PAGE: &str = "<title>Lighthouses</title><main><p>Lighthouses have keepers.</p></main>";

/// A pool whose processes differ from those of other tests by their program's name.
struct Parsers {
    pool: ParserPool,
    program: PathBuf,
    _folder: TempDir,
}

impl Parsers {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("worker");
        symlink(binaries!().worker, &program).unwrap();
        Self {
            pool: ParserPool::with_program(program.clone()),
            program,
            _folder: folder,
        }
    }

    async fn text(&self, job: ParseJob) -> Result<String, ParseError> {
        let parsed = self.pool.parse(job, Deadline::after(TIMEOUT)).await?;
        Ok(parsed.document.text())
    }

    async fn assert_works(&self) {
        let text = self.text(page(PAGE)).await;
        assert_eq!(text.unwrap(), "Lighthouses have keepers.");
    }

    /// Parses in the background a document that takes longer than the limit.
    fn parse_endless(&self) -> JoinHandle<Result<ParsedDocument, ParseError>> {
        let pool = self.pool.clone();
        let deadline = Deadline::after(TIMEOUT);
        tokio::spawn(async move { pool.parse(endless(), deadline).await })
    }

    async fn one_process(&self) -> Pid {
        eventually("a parser process runs", TIMEOUT, async || {
            let all = fs::read_dir("/proc").unwrap().flatten();
            all.filter_map(|process| self.own_process_id(&process))
                .next()
        })
        .await
    }

    fn own_process_id(&self, process: &fs::DirEntry) -> Option<Pid> {
        let command = fs::read(process.path().join("cmdline")).ok()?;
        let id: i32 = process.file_name().to_str()?.parse().ok()?;
        let is_own = command.starts_with(self.program.as_os_str().as_encoded_bytes());
        Pid::from_raw(id).filter(|_| is_own)
    }
}

fn page(html: impl Into<Vec<u8>>) -> ParseJob {
    ParseJob {
        format: Format::Html,
        content_type: None,
        origin: Origin::Page {
            url: Url::parse("http://a.example/page").unwrap(),
            was_redirected: false,
        },
        bytes: html.into(),
    }
}

/// A page whose parsing exceeds the limit: one tag whose attributes are compared with each other.
fn endless() -> ParseJob {
    let attributes: String = (0..400_000).map(|at| format!(" a{at}=1")).collect();
    page(format!("<p>start<a{attributes}>end"))
}

fn proc_file(process: Pid, name: &str) -> String {
    fs::read_to_string(format!("/proc/{}/{name}", process.as_raw_nonzero())).unwrap()
}

/// In hundredths of a second; a start takes a few.
fn processor_time(process: Pid) -> u64 {
    let stat = proc_file(process, "stat");
    let after_name = stat.rsplit_once(')').unwrap().1;
    let user = after_name.split_whitespace().nth(11).unwrap();
    user.parse().unwrap()
}

async fn assert_gone(process: Pid) {
    eventually("the parser process has ended", TIMEOUT, async || {
        test_kill_process(process).is_err().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_parser_process_has_no_rights_that_parsing_does_not_need() {
    let parsers = Parsers::new();
    let confinement = parsers.pool.probe().await.unwrap();
    assert!(confinement.no_files && confinement.no_network);
    parsers.assert_works().await;
    let process = parsers.one_process().await;
    let status = proc_file(process, "status");
    for expected in ["NoNewPrivs:\t1", "Seccomp:\t2", "Threads:\t2"] {
        assert!(status.contains(expected), "{expected}: {status}");
    }
    let environment = proc_file(process, "environ");
    let names: Vec<&str> = environment
        .split_terminator('\0')
        .map(|it| it.split('=').next().unwrap())
        .collect();
    assert_eq!(names, ["MIMALLOC_ARENA_RESERVE"]);
    let limits = proc_file(process, "limits");
    for (name, most) in [
        ("Max data size", "536870912"),
        ("Max open files", "16"),
        ("Max file size", "0"),
        ("Max core file size", "0"),
    ] {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        let values: Vec<&str> = line[name.len()..].split_whitespace().collect();
        assert_eq!(values[..2], [most, most], "{line}");
    }
    let time = limits.lines().find(|it| it.starts_with("Max cpu time"));
    assert!(
        !time
            .unwrap()
            .starts_with("Max cpu time              unlimited")
    );
}

#[tokio::test]
async fn a_killed_parser_process_loses_only_its_document() {
    let parsers = Parsers::new();
    let parsing = parsers.parse_endless();
    let process = parsers.one_process().await;
    eventually("it is busy with the document", TIMEOUT, async || {
        (processor_time(process) > 20).then_some(())
    })
    .await;
    kill_process(process, Signal::KILL).unwrap();
    assert_eq!(parsing.await.unwrap(), Err(ParseError::Crashed));
    parsers.assert_works().await;
}

#[tokio::test]
async fn a_parser_process_that_hangs_is_killed_at_the_deadline() {
    let parsers = Parsers::new();
    parsers.assert_works().await;
    let frozen = parsers.one_process().await;
    kill_process(frozen, Signal::STOP).unwrap();
    let deadline = Deadline::after(Duration::from_millis(300));
    let late = parsers.pool.parse(page(PAGE), deadline).await;
    assert_eq!(late, Err(ParseError::TimedOut));
    assert_gone(frozen).await;
    parsers.assert_works().await;
}

#[tokio::test]
async fn a_document_is_no_longer_parsed_when_its_caller_is_gone() {
    let parsers = Parsers::new();
    let parsing = parsers.parse_endless();
    let process = parsers.one_process().await;
    parsing.abort();
    assert_gone(process).await;
    parsers.assert_works().await;
}

#[tokio::test]
async fn a_parser_process_without_memory_loses_only_its_document() {
    let parsers = Parsers::new();
    parsers.assert_works().await;
    let process = parsers.one_process().await;
    // As if a leak had used up the memory.
    let limit = Rlimit {
        current: Some(1024 * 1024),
        maximum: getrlimit(Resource::Data)
            .maximum
            .or(Some(512 * 1024 * 1024)),
    };
    prlimit(Some(process), Resource::Data, limit).unwrap();
    // Needs more memory than the process has reserved.
    let large = page("<p>Words of a page. ".repeat(200_000));
    let parsed = parsers.text(large).await;
    assert_eq!(parsed.map(|text| text.len()), Err(ParseError::Crashed));
    assert_gone(process).await;
    parsers.assert_works().await;
}

#[tokio::test]
async fn a_document_that_takes_too_much_processor_time_is_given_up() {
    let parsers = Parsers::new();
    let others = async {
        for _ in 0..20 {
            parsers.assert_works().await;
        }
    };
    let (endless, ()) = tokio::join!(parsers.text(endless()), others);
    assert!(matches!(
        endless,
        Err(ParseError::Crashed | ParseError::TimedOut)
    ));
}

#[tokio::test]
async fn a_file_that_crashes_its_parser_is_marked_and_skipped_until_it_changes() {
    let parsers = Parsers::new();
    let folder = tempfile::tempdir().unwrap();
    let index = tempfile::tempdir().unwrap();
    let bad = folder.path().join("bad.html");
    fs::write(folder.path().join("good.html"), PAGE).unwrap();
    fs::write(&bad, endless().bytes).unwrap();
    let settings = CorpusSettings {
        paths: vec![folder.path().to_owned()],
        index_dir: index.path().to_owned(),
        base_url: None,
    };
    let corpus = LocalCorpus::open(settings, parsers.pool.clone()).unwrap();
    refresh(&corpus).await;
    let status = corpus.status();
    assert_eq!((status.read, status.sections), (2, 1));
    let named = corpus.faults().unwrap().problem;
    assert!(
        named.contains("/bad.html (a page that cannot be parsed)"),
        "{named}"
    );

    refresh(&corpus).await;
    assert_eq!(corpus.status().read, 2);

    fs::write(&bad, PAGE).unwrap();
    refresh(&corpus).await;
    let status = corpus.status();
    assert_eq!((status.read, status.sections), (3, 2));
    assert!(corpus.faults().is_none());
}

async fn refresh(corpus: &Arc<LocalCorpus>) {
    let corpus = Arc::clone(corpus);
    let refresh = move || corpus.refresh(&CancellationToken::new());
    let refreshed = tokio::task::spawn_blocking(refresh).await.unwrap();
    assert!(refreshed.unwrap());
}

#[tokio::test]
async fn parser_processes_end_with_their_worker() {
    let parsers = Parsers::new();
    parsers.assert_works().await;
    let process = parsers.one_process().await;
    drop(parsers);
    assert_gone(process).await;
}
