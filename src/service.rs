//! The handlers of Calculate: the business code. Replace this file and `idl/calculate.thrift`, and keep the rest.

use crate::idl::calculate::{CalculateSyncHandler, DomainError, Number};
use ordered_float::OrderedFloat;

/// Computes what `idl/calculate.thrift` declares. It only computes, so it runs inline.
#[derive(Clone, Copy, Debug, Default)]
pub struct Calculator;

impl CalculateSyncHandler for Calculator {
    /// The principal square root (not the square: that is `Cal`).
    fn handle_square(&self, number: Number) -> thrift::Result<Number> {
        let value = number.value.into_inner();
        if value < 0.0 {
            let message = format!("Square is the square root, which no negative number has; got {value}");
            return Err(DomainError::new(message, number.value).into());
        }
        Ok(Number::new(OrderedFloat(value.sqrt())))
    }

    /// The square.
    fn handle_cal(&self, number: Number) -> thrift::Result<Number> {
        let value = number.value.into_inner();
        Ok(Number::new(OrderedFloat(value * value)))
    }
}
