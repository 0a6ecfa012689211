//! Catching system calls: a seccomp filter that raises SIGSYS for those that change a disk, the handler's way to the
//! interrupted thread's registers, and a way to the kernel that the filter lets through.
//! Spec: seccomp(2), `SECCOMP_RET_TRAP`; the system-call conventions of syscall(2).

use core::ffi::{c_int, c_long, c_void};
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::call::Call;

/// Sixth argument of the calls that this library makes itself. The filter lets them through; none of them has a sixth
/// argument of its own.
const OWN: u64 = 0x636F_6666_6572_2121; // "coffer!!"

/// The audit name of the machine (`linux/audit.h`): what its ELF files say, 64 bits, little-endian.
#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0x3E | 0x8000_0000 | 0x4000_0000;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xB7 | 0x8000_0000 | 0x4000_0000;

/// Calls that are always caught.
#[cfg(target_arch = "x86_64")]
const CAUGHT_HERE: &[c_long] = &[libc::SYS_rename, libc::SYS_unlink, libc::SYS_rmdir, libc::SYS_mkdir, libc::SYS_link];
#[cfg(not(target_arch = "x86_64"))]
const CAUGHT_HERE: &[c_long] = &[];
const CAUGHT: &[c_long] = &[
    libc::SYS_write,
    libc::SYS_pwrite64,
    libc::SYS_writev,
    libc::SYS_pwritev,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_unlinkat,
    libc::SYS_mkdirat,
    libc::SYS_linkat,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_copy_file_range,
    libc::SYS_sendfile,
];

/// Offsets in `struct seccomp_data`.
const NUMBER: u32 = 0;
const MACHINE: u32 = 4;
const THIRD_ARGUMENT_LOW: u32 = 32;
const SIXTH_ARGUMENT_LOW: u32 = 56;
const SIXTH_ARGUMENT_HIGH: u32 = 60;

/// What answers a caught call.
static HANDLER: AtomicUsize = AtomicUsize::new(0);

/// Answers caught calls from now on. The first thing to do: a filter may be there already, from before an `exec`.
pub(crate) fn listen(handler: fn(&Call) -> i64) -> Result<(), &'static str> {
    HANDLER.store(handler as usize, Ordering::Relaxed);
    // SAFETY: the structure lives through the call, and the handler has the signature that SA_SIGINFO asks for.
    unsafe {
        let mut action: libc::sigaction = core::mem::zeroed();
        action.sa_sigaction = crate::on_signal as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO;
        if libc::sigaction(libc::SIGSYS, &raw const action, core::ptr::null_mut()) != 0 {
            return Err("SIGSYS cannot be handled");
        }
    }
    Ok(())
}

/// Begins to catch calls in this thread and all that it starts.
pub(crate) fn catch() -> Result<(), &'static str> {
    let mut filter = filter();
    let length = u16::try_from(filter.len()).expect("a few dozen instructions");
    let program = libc::sock_fprog { len: length, filter: filter.as_mut_ptr() };
    // SAFETY: the structures live through the calls.
    unsafe {
        if libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 {
            return Err("privileges cannot be given up");
        }
        if libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) != 0 {
            return Err("the kernel takes no seccomp filter");
        }
    }
    Ok(())
}

/// The filter: our own calls pass; the calls above, and `openat` that may make a file, are caught; all others pass.
fn filter() -> Vec<libc::sock_filter> {
    const LOAD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    const EQUAL: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    const HAS: u32 = libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K;
    const RETURN: u32 = libc::BPF_RET | libc::BPF_K;
    let line = |code: u32, k: u32, yes: u8, no: u8| libc::sock_filter {
        code: u16::try_from(code).expect("codes have sixteen bits"),
        jt: yes,
        jf: no,
        k,
    };
    let number = |call: c_long| u32::try_from(call).expect("system calls are small numbers");
    let allow = line(RETURN, libc::SECCOMP_RET_ALLOW, 0, 0);
    let catch = line(RETURN, libc::SECCOMP_RET_TRAP, 0, 0);
    let own_low = u32::try_from(OWN & 0xFFFF_FFFF).expect("masked");
    let own_high = u32::try_from(OWN >> 32).expect("shifted");

    let mut lines = vec![
        line(LOAD, MACHINE, 0, 0),
        line(EQUAL, ARCHITECTURE, 1, 0),
        allow,
        line(LOAD, SIXTH_ARGUMENT_LOW, 0, 0),
        line(EQUAL, own_low, 0, 3),
        line(LOAD, SIXTH_ARGUMENT_HIGH, 0, 0),
        line(EQUAL, own_high, 0, 1),
        allow,
        line(LOAD, NUMBER, 0, 0),
    ];
    for call in CAUGHT.iter().chain(CAUGHT_HERE) {
        lines.push(line(EQUAL, number(*call), 0, 1));
        lines.push(catch);
    }
    lines.push(line(EQUAL, number(libc::SYS_openat), 1, 0));
    lines.push(allow);
    lines.push(line(LOAD, THIRD_ARGUMENT_LOW, 0, 0));
    lines.push(line(HAS, libc::O_CREAT.cast_unsigned(), 0, 1));
    lines.push(catch);
    lines.push(allow);
    lines
}

/// Fetches the call from the interrupted thread's registers and puts the answer there.
pub(crate) fn answer(context: &mut libc::ucontext_t) {
    let handler = HANDLER.load(Ordering::Relaxed);
    // SAFETY: `listen` stored a function of this type before the first signal could come.
    let handler: fn(&Call) -> i64 = unsafe { core::mem::transmute::<usize, fn(&Call) -> i64>(handler) };
    #[cfg(target_arch = "x86_64")]
    {
        let registers = &mut context.uc_mcontext.gregs;
        let register = |name: c_int| registers[usize::try_from(name).unwrap_or(0)];
        let arguments = [libc::REG_RDI, libc::REG_RSI, libc::REG_RDX, libc::REG_R10, libc::REG_R8, libc::REG_R9];
        let call =
            Call { number: register(libc::REG_RAX), arguments: arguments.map(|name| register(name).cast_unsigned()) };
        registers[usize::try_from(libc::REG_RAX).unwrap_or(0)] = handler(&call);
    }
    #[cfg(target_arch = "aarch64")]
    {
        let registers = &mut context.uc_mcontext.regs;
        let arguments = [registers[0], registers[1], registers[2], registers[3], registers[4], registers[5]];
        let call = Call { number: registers[8].cast_signed(), arguments };
        registers[0] = handler(&call).cast_unsigned();
    }
}

/// Makes a call that is not caught. Gives what the kernel gives: a negative error number, or the result.
///
/// # Safety
/// As the call itself: pointers among the arguments must be what the kernel expects.
pub(crate) unsafe fn system_call(number: c_long, arguments: [u64; 5]) -> i64 {
    let [first, second, third, fourth, fifth] = arguments;
    // SAFETY: the arguments are the caller's to answer for. `errno` is put back, for the interrupted code may not
    // expect it to change.
    unsafe {
        let errno = libc::__errno_location();
        let before = *errno;
        let result = libc::syscall(number, first, second, third, fourth, fifth, OWN);
        let result = if result == -1 { -i64::from(*errno) } else { result };
        *errno = before;
        result
    }
}

/// Carries out a caught call as the program meant it.
pub(crate) fn repeat(call: &Call) -> i64 {
    let [first, second, third, fourth, fifth, _] = call.arguments;
    // SAFETY: the program's own arguments; no call that gets here has a sixth.
    unsafe { system_call(call.number, [first, second, third, fourth, fifth]) }
}

/// Ends the process as a kill from outside would.
pub(crate) fn die() -> ! {
    loop {
        // SAFETY: no pointers.
        unsafe {
            let own = system_call(libc::SYS_getpid, [0; 5]);
            system_call(libc::SYS_kill, [own.cast_unsigned(), libc::SIGKILL.unsigned_abs().into(), 0, 0, 0]);
        }
    }
}

/// Lets another thread run.
pub(crate) fn yield_now() {
    // SAFETY: no arguments.
    unsafe { system_call(libc::SYS_sched_yield, [0; 5]) };
}

/// Writes to a descriptor of this library's own, which nobody watches.
pub(crate) fn write_all(descriptor: c_int, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let arguments = [descriptor_argument(descriptor), bytes.as_ptr() as u64, bytes.len() as u64, 0, 0];
        // SAFETY: the buffer is live and as long as it says.
        let written = unsafe { system_call(libc::SYS_write, arguments) };
        let Some(rest) = usize::try_from(written).ok().filter(|n| *n > 0).and_then(|n| bytes.get(n..)) else { return };
        bytes = rest;
    }
}

/// A descriptor, as the kernel takes it.
pub(crate) fn descriptor_argument(descriptor: c_int) -> u64 {
    i64::from(descriptor).cast_unsigned()
}

/// Memory for as long as the process runs, given by the kernel page by page as it is used.
pub(crate) fn reserve(bytes: usize) -> Option<*mut u8> {
    // SAFETY: a fresh private mapping touches nothing that exists.
    let memory = unsafe {
        libc::mmap(
            core::ptr::null_mut::<c_void>(),
            bytes,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
            -1,
            0,
        )
    };
    (memory != libc::MAP_FAILED).then_some(memory.cast())
}
