//! What the process itself uses.

use rustix::time::{ClockId, clock_gettime};

use super::pipeline;

/// Has CPU time and memory measured whenever metrics are sent.
pub(super) fn observe() {
    let Some(pipeline) = pipeline() else { return };
    let meter = &pipeline.instruments.meter;
    meter
        .f64_observable_counter("process.cpu.time")
        .with_description("CPU time that the process has had.")
        .with_unit("s")
        .with_callback(|counter| {
            let used = clock_gettime(ClockId::ProcessCPUTime);
            // A process has not run for so long that this would not be exact enough.
            #[expect(clippy::cast_precision_loss, reason = "seconds and nanoseconds of a process")]
            counter.observe(used.tv_sec as f64 + used.tv_nsec as f64 / 1e9, &[]);
        })
        .build();
    meter
        .u64_observable_gauge("process.memory.usage")
        .with_description("Memory of the machine that the process has.")
        .with_unit("By")
        .with_callback(|gauge| {
            if let Some(bytes) = resident() {
                gauge.observe(bytes, &[]);
            }
        })
        .build();
}

/// In bytes.
fn resident() -> Option<u64> {
    // proc(5): size, resident, …, in pages.
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = pages.split(' ').nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_process_has_some_memory() {
        assert!(super::resident().unwrap() > 1_000_000);
    }
}
