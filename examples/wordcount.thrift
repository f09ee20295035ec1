/* A second service with an IDL of its own: what `examples/wordcount.rs` serves. */
namespace rs idl

/** Nothing was given to count. */
exception NothingToCount {
  /** What is missing, for a person to read. */
  1: required string message
}

/** Counts words. */
service WordCount {
  /** How often each word occurs in `lines`; words are separated by white space. */
  map<string, i32> Count(1: list<string> lines) throws (1: NothingToCount nothing)

  /** Forget all that was counted. No reply is sent. */
  oneway void Reset()

  /** Words counted since the start or the last Reset. */
  i64 Total()
}
