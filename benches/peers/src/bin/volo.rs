//! Volo on a runtime of one thread. Its default codec detects framed binary, beside TTHeader and unframed.

use std::error::Error;

use calculate_peers::{NEGATIVE, bind, cal, square};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use volo::net::incoming::DefaultIncoming;
use volo_gen::idl::{Calculate, CalculateServer, CalculateSquareException, DomainError, Number};
use volo_thrift::{MaybeException, ServerError};

include!(concat!(env!("OUT_DIR"), "/volo_gen.rs"));

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let listener = TcpListener::from_std(bind()?)?;
    let mut terminate = signal(SignalKind::terminate())?;
    // Volo's own drain takes two seconds or more, which a benchmark has no use for.
    tokio::select! {
        result = CalculateServer::new(Handler).run(DefaultIncoming::from(listener)) => result,
        _ = terminate.recv() => Ok(()),
    }
}

struct Handler;

impl Calculate for Handler {
    async fn square(&self, number: Number) -> Result<MaybeException<Number, CalculateSquareException>, ServerError> {
        Ok(match square(number.value) {
            Some(value) => MaybeException::Ok(Number { value }),
            None => MaybeException::Exception(CalculateSquareException::Error(DomainError {
                message: NEGATIVE.into(),
                value: number.value,
            })),
        })
    }

    async fn cal(&self, number: Number) -> Result<Number, ServerError> {
        let value = cal(number.value);
        Ok(Number { value })
    }
}
