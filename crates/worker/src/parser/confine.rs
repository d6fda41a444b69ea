//! Confines a parser process. The process drops its rights before it reads a document, and the
//! kernel enforces that even when a document has taken the process over.

use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    time::{ClockId, clock_gettime},
};
use serde::{Deserialize, Serialize};
use std::{fs::File, net::UdpSocket};

/// Bytes of writable memory, without the program itself.
const MAX_MEMORY: u64 = 512 * 1024 * 1024;
/// Open files: the pipes, and those that the standard library opens for a moment.
const MAX_FILES: u64 = 16;
/// Seconds of processor time for one document.
const SECONDS_PER_DOCUMENT: u64 = 10;

/// How far the kernel confines a parser process; each process tests it when it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// The process can open no file.
    pub no_files: bool,
    /// The process can open no socket.
    pub no_network: bool,
}

impl Confinement {
    /// Whether files and network are both refused.
    #[must_use]
    pub fn is_complete(self) -> bool {
        self.no_files && self.no_network
    }

    /// Tests the confinement. `/` always exists and is readable.
    pub(super) fn detect() -> Self {
        Self {
            no_files: File::open("/").is_err(),
            no_network: UdpSocket::bind(("127.0.0.1", 0)).is_err(),
        }
    }
}

/// Limits memory, open files and written files. The kernel refuses a limit only when a lower one
/// holds.
pub(super) fn limit_resources() {
    let limits = [
        (Resource::Data, MAX_MEMORY),
        (Resource::Nofile, MAX_FILES),
        (Resource::Fsize, 0),
        (Resource::Core, 0),
    ];
    for (resource, most) in limits {
        let maximum = getrlimit(resource).maximum;
        let most = maximum.map_or(most, |maximum| most.min(maximum));
        let _lower_already = setrlimit(
            resource,
            Rlimit {
                current: Some(most),
                maximum: Some(most),
            },
        );
    }
}

/// Sets the processor time for the next document. The kernel kills a process that exceeds it.
pub(super) fn limit_time() {
    let used = clock_gettime(ClockId::ProcessCPUTime).tv_sec;
    let used = u64::try_from(used).unwrap_or_default();
    let maximum = getrlimit(Resource::Cpu).maximum;
    let _lower_already = setrlimit(
        Resource::Cpu,
        Rlimit {
            current: Some(used + SECONDS_PER_DOCUMENT),
            maximum,
        },
    );
}

/// Drops access to files and network, for this thread and those that it starts. Call it before any
/// other thread is started.
#[cfg(target_os = "linux")]
pub(super) fn drop_files_and_network() {
    use landlock::{ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, Scope};

    let version = ABI::V6;
    // An older kernel enforces a part of it; `Confinement::tried` tests the result.
    let _older_kernel = Ruleset::default()
        .handle_access(AccessFs::from_all(version))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(version)))
        .and_then(|rules| rules.scope(Scope::from_all(version)))
        .and_then(landlock::Ruleset::create)
        .and_then(landlock::RulesetCreated::restrict_self);
}

/// Drops all system calls that parsing does not need, for every thread of the process.
#[cfg(target_os = "linux")]
pub(super) fn drop_system_calls() {
    let _unknown_machine = system_calls::drop_all_but_needed();
}

#[cfg(not(target_os = "linux"))]
pub(super) fn drop_files_and_network() {}

#[cfg(not(target_os = "linux"))]
pub(super) fn drop_system_calls() {}

#[cfg(target_os = "linux")]
mod system_calls {
    use seccompiler::{
        BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
        SeccompRule,
    };
    use std::{collections::BTreeMap, env::consts::ARCH};

    /// For pipes, memory, synchronisation of threads, clocks, signals and exit.
    const NEEDED: [i64; 24] = [
        libc::SYS_read,
        libc::SYS_readv,
        libc::SYS_write,
        libc::SYS_writev,
        libc::SYS_close,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_madvise,
        libc::SYS_brk,
        libc::SYS_futex,
        libc::SYS_sched_yield,
        libc::SYS_sched_getaffinity,
        libc::SYS_nanosleep,
        libc::SYS_clock_nanosleep,
        libc::SYS_clock_gettime,
        libc::SYS_getrandom,
        libc::SYS_getrlimit,
        libc::SYS_gettid,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        libc::SYS_exit,
        libc::SYS_exit_group,
    ];

    /// The filter is applied as a whole or not at all.
    pub(super) fn drop_all_but_needed() -> Result<(), Box<dyn std::error::Error>> {
        let mut allowed: BTreeMap<i64, Vec<SeccompRule>> =
            NEEDED.into_iter().map(|call| (call, Vec::new())).collect();
        // New memory must not be executable.
        for call in [libc::SYS_mmap, libc::SYS_mprotect] {
            let protection = u64::try_from(libc::PROT_EXEC)?;
            allowed.insert(call, only_if(2, SeccompCmpOp::MaskedEq(protection), 0)?);
        }
        // Only its own limits.
        allowed.insert(libc::SYS_prlimit64, only_if(0, SeccompCmpOp::Eq, 0)?);
        let refuse = SeccompAction::Errno(u32::try_from(libc::EPERM)?);
        let filter = SeccompFilter::new(allowed, refuse, SeccompAction::Allow, ARCH.try_into()?)?;
        let program: BpfProgram = filter.try_into()?;
        Ok(seccompiler::apply_filter_all_threads(&program)?)
    }

    fn only_if(
        argument: u8,
        is: SeccompCmpOp,
        value: u64,
    ) -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
        let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, is, value)?;
        Ok(vec![SeccompRule::new(vec![condition])?])
    }
}
