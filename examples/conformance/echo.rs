//! The service: it gives back what it is given, and says what that was.

use crate::describe::Describe;
use crate::idl::conformance::*;
use crate::idl::conformance_uuid::{ConformanceUuidSyncHandler, Identified};
use crate::values;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use thrift::{OrderedFloat, Result};

/// The handler.
#[derive(Default)]
pub(crate) struct Echo {
    /// What each owner noted last, and how often it has.
    notes: Mutex<BTreeMap<String, (u64, String)>>,
}

impl ConformanceBaseSyncHandler for Echo {
    fn handle_ping(&self) -> Result<()> {
        Ok(())
    }

    fn handle_note(&self, text: String) -> Result<()> {
        let (owner, text) = text.split_once(": ").unwrap_or_default();
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, last) = notes.entry(owner.to_string()).or_default();
        *count += 1;
        text.clone_into(last);
        Ok(())
    }

    fn handle_notes(&self, owner: String) -> Result<String> {
        let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(notes.get(&owner).map_or("0 ".into(), |(count, last)| format!("{count} {last}")))
    }
}

impl ConformanceSyncHandler for Echo {
    fn handle_echo_bool(&self, value: bool) -> Result<bool> {
        Ok(value)
    }

    fn handle_echo_i8(&self, value: i8) -> Result<i8> {
        Ok(value)
    }

    fn handle_echo_i16(&self, value: i16) -> Result<i16> {
        Ok(value)
    }

    fn handle_echo_i32(&self, value: i32) -> Result<i32> {
        Ok(value)
    }

    fn handle_echo_i64(&self, value: i64) -> Result<i64> {
        Ok(value)
    }

    fn handle_echo_double(&self, value: OrderedFloat<f64>) -> Result<OrderedFloat<f64>> {
        Ok(value)
    }

    fn handle_echo_string(&self, value: String) -> Result<String> {
        Ok(value)
    }

    fn handle_echo_binary(&self, value: Vec<u8>) -> Result<Vec<u8>> {
        Ok(value)
    }

    fn handle_echo_choice(&self, value: Choice) -> Result<Choice> {
        Ok(value)
    }

    fn handle_echo_everything(&self, value: Everything) -> Result<Everything> {
        Ok(value)
    }

    fn handle_echo_struct_keys(&self, value: BTreeMap<Point, String>) -> Result<BTreeMap<Point, String>> {
        Ok(value)
    }

    fn handle_echo_lists_in_set(&self, value: BTreeSet<Vec<i32>>) -> Result<BTreeSet<Vec<i32>>> {
        Ok(value)
    }

    fn handle_describe_text(&self, value: String) -> Result<String> {
        Ok(value.describe())
    }

    fn handle_describe_binary(&self, value: Vec<u8>) -> Result<String> {
        Ok(value.describe())
    }

    fn handle_describe_scalars(
        &self,
        tiny: i8,
        medium: i32,
        small: i16,
        real: OrderedFloat<f64>,
        colour: Colour,
        flag: bool,
        large: i64,
    ) -> Result<String> {
        let (real, colour) = (real.describe(), colour.describe());
        Ok(format!("(8:{flag},1:{tiny},3:{small},2:{medium},300:{large},4:{real},5:{colour})"))
    }

    fn handle_describe_everything(&self, value: Everything) -> Result<String> {
        Ok(value.describe())
    }

    fn handle_describe_defaults(&self, value: Defaults) -> Result<String> {
        Ok(value.describe())
    }

    fn handle_describe_struct_keys(&self, value: BTreeMap<Point, String>) -> Result<String> {
        Ok(value.describe())
    }

    fn handle_describe_lists_in_set(&self, value: BTreeSet<Vec<i32>>) -> Result<String> {
        Ok(value.describe())
    }

    fn handle_describe_narrow(&self, value: Narrow) -> Result<String> {
        Ok(value.describe())
    }

    fn handle_compose(&self, name: String) -> Result<Everything> {
        values::everything(&name).ok_or_else(|| NotFound::new(name).into())
    }

    fn handle_risk(&self, outcome: Outcome) -> Result<String> {
        self.handle_risk_void(outcome).map(|()| "fine".into())
    }

    fn handle_risk_void(&self, outcome: Outcome) -> Result<()> {
        match outcome {
            Outcome::NOT_FOUND => Err(NotFound::new("nowhere · нигде".into()).into()),
            Outcome::CONFLICT => Err(Conflict::new(409, "a reason".to_string(), Point::new(3, 4)).into()),
            Outcome::NOTHING => Err(Nothing::new().into()),
            Outcome::UNDECLARED => Err("not in the IDL".into()),
            _ => Ok(()),
        }
    }
}

impl ConformanceUuidSyncHandler for Echo {
    fn handle_echo_uuid(&self, value: uuid::Uuid) -> Result<uuid::Uuid> {
        Ok(value)
    }

    fn handle_echo_identified(&self, value: Identified) -> Result<Identified> {
        Ok(value)
    }

    fn handle_describe_identified(&self, value: Identified) -> Result<String> {
        Ok(value.describe())
    }
}
