//! Asks an instance that failed whether it is well.

use super::super::deadline::Deadline;
use super::super::error::CalculateError;
use super::super::message::{Input, Method, Output};
use super::state::Handle;
use std::time::Duration;
use thrift::protocol::{TMessageIdentifier, TMessageType, TStructIdentifier, TType};

/// Whether the instance answers anything at all. A method that it does not have is as good as one that it has.
pub(super) async fn is_well(handle: &Handle) -> bool {
    const TIME: Duration = Duration::from_secs(1);
    match handle.pool.call(Method::new(PING), Deadline::after(TIME), &ping).await.0 {
        Ok(()) | Err(CalculateError::Overloaded(_) | CalculateError::Application(_) | CalculateError::Declared(_)) => {
            true
        }
        Err(_) => false,
    }
}

/// What generated code would do for `void ping()`.
fn ping(mut input: Input<'_>, mut output: Output<'_>) -> thrift::Result<()> {
    output.write_message_begin(&TMessageIdentifier::new(PING, TMessageType::Call, 0))?;
    output.write_struct_begin(&TStructIdentifier::new("ping_args"))?;
    output.write_field_stop()?;
    output.write_struct_end()?;
    output.write_message_end()?;
    output.flush()?;
    input.read_message_begin()?;
    input.skip(TType::Struct)?;
    input.read_message_end()
}

const PING: &str = "ping";
