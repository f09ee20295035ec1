//! What a session remembers, and when it takes no more calls.

use super::*;
use crate::wire::{Exception, ExceptionCode, Framing, Protocol};

const ENCODING: Encoding = Encoding { framing: Framing::Framed, protocol: Protocol::Binary };

type Receiver = oneshot::Receiver<Outcome>;

fn session() -> Session {
    Session::new(ENCODING, Limits::default())
}

/// Begins a call and sends it.
fn start(session: &mut Session) -> (i32, Receiver) {
    let id = session.next_id();
    let reply = session.begin(id, "Square", vec![0; 8], false).expect("it takes calls");
    session.take_unsent();
    (id, reply)
}

/// The server answers `id`.
fn receive(session: &mut Session, id: i32) -> Result<usize, Fault> {
    let mut bytes = Vec::new();
    Exception::new(ExceptionCode::UNKNOWN, "").write(ENCODING, b"Square", id, &mut bytes);
    session.receive(&bytes, bytes.len())
}

#[test]
fn a_call_given_up_in_silence_retires() {
    let mut session = session();
    let (id, _reply) = start(&mut session);
    session.abandon(id);
    assert!(!session.is_open() && session.is_over());
    assert!(matches!(session.begin(9, "Square", Vec::new(), false), Err(Failure::Unsent)));
}

#[test]
fn a_call_given_up_while_replies_come_does_not_retire_and_its_late_reply_is_dropped() {
    let mut session = session();
    let ((slow, mut reply), (quick, _)) = (start(&mut session), start(&mut session));
    receive(&mut session, quick).expect("a reply");
    session.abandon(slow);
    receive(&mut session, slow).expect("a late reply");
    assert!(session.is_open());
    assert!(reply.try_recv().is_err());
    receive(&mut session, slow).expect_err("a second reply");
}

#[test]
fn a_retired_session_is_over_with_its_last_call() {
    let mut session = session();
    let ((waiting, mut reply), (silent, _)) = (start(&mut session), start(&mut session));
    session.abandon(silent);
    assert!(!session.is_open() && !session.is_over());
    receive(&mut session, waiting).expect("a reply");
    assert!(reply.try_recv().expect("it is there").is_ok());
    assert!(session.is_over());
}

#[test]
fn abandoned_ids_are_kept_up_to_the_limit_and_one_more_retires() {
    let mut session = session();
    for count in 1..=1025 {
        let ((id, _), (beat, _)) = (start(&mut session), start(&mut session));
        receive(&mut session, beat).expect("a reply");
        session.abandon(id);
        assert_eq!(session.is_open(), count <= 1024, "{count}");
    }
}

#[test]
fn a_call_given_up_before_it_was_sent_is_not_sent() {
    let mut session = session();
    let id = session.next_id();
    let _reply = session.begin(id, "Square", vec![1, 2, 3], false).expect("it takes calls");
    session.abandon(id);
    assert!(session.take_unsent().is_empty());
    receive(&mut session, id).expect_err("a reply to what was never asked");
}

#[test]
fn a_reply_that_comes_before_its_call_was_sent_is_refused() {
    let mut session = session();
    let id = session.next_id();
    let _reply = session.begin(id, "Square", vec![1, 2, 3], false).expect("it takes calls");
    let fault = receive(&mut session, id).expect_err("nobody can know the answer");
    assert_eq!((fault.id, &fault.malformed.0[..]), (Some(id), "a reply to Square, which was not sent yet"));
}

#[test]
fn an_id_in_use_is_skipped_when_ids_wrap() {
    let mut session = session();
    let (first, _reply) = start(&mut session);
    session.last_id = i32::MAX - 1;
    let ids = [session.next_id(), session.next_id(), session.next_id()];
    assert_eq!((first, ids), (1, [i32::MAX, 2, 3]));
}

#[test]
fn only_what_was_not_sent_may_be_made_again() {
    let mut session = session();
    let (_, mut sent) = start(&mut session);
    let id = session.next_id();
    let mut unsent = session.begin(id, "Square", Vec::new(), false).expect("it takes calls");
    session.end(&CalculateError::closed_by_server("server:1"));
    assert!(matches!(sent.try_recv(), Ok(Err(Failure::Failed(_)))));
    assert!(matches!(unsent.try_recv(), Ok(Err(Failure::Unsent))));
}

#[test]
fn a_oneway_call_has_left_when_the_next_batch_is_asked_for() {
    let mut session = session();
    let id = session.next_id();
    let mut left = session.begin(id, "Note", vec![1], true).expect("it takes calls");
    assert_eq!(session.take_unsent(), [1]);
    assert!(left.try_recv().is_err());
    assert!(session.take_unsent().is_empty());
    assert!(left.try_recv().expect("it left").expect("no failure").is_empty());
}
