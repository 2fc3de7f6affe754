//! What a figure was measured on. Linux only; elsewhere it says so.

use std::fs::read_to_string;

/// One line: processors, memory, kernel, and how busy they were.
pub(crate) fn facts() -> String {
    let processors = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let model = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".to_owned());
    let memory =
        field("/proc/meminfo", "MemTotal").and_then(|text| kibibytes(&text)).unwrap_or_default() >> 20;
    let kernel = read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("unknown");
    format!("{processors} x {model}, {memory} GiB, Linux {}, load {load}", kernel.trim())
}

/// Resident memory of this process, in bytes; 0 where nobody tells.
pub(crate) fn resident() -> u64 {
    field("/proc/self/status", "VmRSS").and_then(|text| kibibytes(&text)).unwrap_or_default() << 10
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn kibibytes(text: &str) -> Option<u64> {
    text.strip_suffix("kB")?.trim().parse().ok()
}
