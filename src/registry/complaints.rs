//! What is said of a registry that is not as it should be: each thing at once, and then at most once a minute.

use crate::error::Error;
use std::cell::RefCell;
use std::time::{Duration, Instant};

/// What was said, and when.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    said: RefCell<Vec<(String, Instant)>>,
}

impl Complaints {
    pub(super) fn warn(&self, text: &str) {
        if self.is_due(text, Instant::now()) {
            log::warn!("{text}");
        }
    }

    pub(super) fn error(&self, error: &Error) {
        let text = error.to_string();
        if self.is_due(&text, Instant::now()) {
            log::error!("{text}");
        }
    }

    fn is_due(&self, text: &str, now: Instant) -> bool {
        let mut said = self.said.borrow_mut();
        said.retain(|(_, at)| now.duration_since(*at) < AGAIN);
        let due = said.len() < MOST && said.iter().all(|(known, _)| known != text);
        if due {
            said.push((text.to_owned(), now));
        }
        due
    }
}

/// How long the same is not said again.
const AGAIN: Duration = Duration::from_secs(60);
/// Different things said a minute; more would be for whoever wants to flood the log.
const MOST: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_said_once_a_minute_and_others_meanwhile() {
        let (complaints, start) = (Complaints::default(), Instant::now());
        let due = |text: &str, seconds| complaints.is_due(text, start + Duration::from_secs(seconds));
        assert!(due("away", 0) && !due("away", 1) && due("taken", 1) && !due("taken", 59));
        assert!(!due("away", 59) && due("away", 60) && !due("away", 61));
        let fresh = (0..100).filter(|number| due(&number.to_string(), 200)).count();
        assert_eq!(fresh, MOST);
    }
}
