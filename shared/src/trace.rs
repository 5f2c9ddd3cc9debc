//! The trace that something belongs to, as it goes from one service to the next.
//!
//! <https://www.w3.org/TR/trace-context/>

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

/// The name that a span is handed on under: of a header, and of an attribute of messages.
pub const TRACEPARENT: &str = "traceparent";

/// A span of a trace: what a `traceparent` header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    /// Shown as 32 hexadecimal digits.
    pub trace_id: TraceId,
    /// Shown as 16 hexadecimal digits.
    pub span_id: SpanId,
    /// Whether the trace is kept.
    pub sampled: bool,
}

impl TraceContext {
    /// Reads a `traceparent` header; anything malformed is no trace.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let mut parts = header.split('-');
        let (version, trace_id, span_id, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let hex = |text: &str, length: usize| {
            text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        let valid = hex(version, 2)
            && version != "ff"
            && (version != "00" || parts.next().is_none())
            && hex(trace_id, 32)
            && hex(span_id, 16)
            && hex(flags, 2);
        let context = Self {
            trace_id: TraceId::from_hex(trace_id).ok().filter(|id| *id != TraceId::INVALID)?,
            span_id: SpanId::from_hex(span_id).ok().filter(|id| *id != SpanId::INVALID)?,
            sampled: u8::from_str_radix(flags, 16).ok()? & 1 == 1,
        };
        valid.then_some(context)
    }

    /// The header that hands it on.
    #[must_use]
    pub fn header(&self) -> String {
        format!("00-{}-{}-{:02x}", self.trace_id, self.span_id, u8::from(self.sampled))
    }

    /// As the parent of spans.
    pub(crate) fn as_parent(self) -> opentelemetry::Context {
        use opentelemetry::trace::TraceContextExt;
        let flags = TraceFlags::default().with_sampled(self.sampled);
        let state = TraceState::default();
        let parent = SpanContext::new(self.trace_id, self.span_id, flags, true, state);
        opentelemetry::Context::new().with_remote_span_context(parent)
    }
}

impl From<&SpanContext> for TraceContext {
    fn from(context: &SpanContext) -> Self {
        Self {
            trace_id: context.trace_id(),
            span_id: context.span_id(),
            sampled: context.is_sampled(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_context_is_read_or_left_alone() {
        let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let trace = TraceContext::parse(header).unwrap();
        assert_eq!(trace.trace_id.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(trace.span_id.to_string(), "00f067aa0ba902b7");
        assert!(trace.sampled);
        assert_eq!(trace.header(), header);

        for malformed in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        ] {
            assert_eq!(TraceContext::parse(malformed), None, "{malformed}");
        }
    }
}
