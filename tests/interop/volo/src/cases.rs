//! What the rows ask for.

use crate::describe::Describe;
use crate::idl::{
    Choice, Colour, Conflict, ConformanceClient, ConformanceClientBuilder, ConformanceComposeException,
    ConformanceOtherClient, ConformanceOtherClientBuilder, ConformanceRiskException, ConformanceRiskVoidException,
    Defaults, Everything, NotFound, Outcome, Point,
};
use pilota::thrift::binary::TBinaryProtocol;
use pilota::thrift::{Message, ThriftException};
use pilota::{AHashMap, AHashSet, Bytes, FastStr};
use std::fmt::Debug;
use std::future::Future;
use std::net::SocketAddr;
use volo::net::dial::Config;
use volo::net::tls::{ClientTlsConfig, TlsConnector, TlsMakeTransport};
use volo_thrift::codec::default::DefaultMakeCodec;
use volo_thrift::codec::default::thrift::MakeThriftCodec;
use volo_thrift::codec::default::ttheader::MakeTTHeaderCodec;
use volo_thrift::{ClientError, MaybeException};

/// The service, and the service as programs of other days see it. Volo chooses and checks its sequence ids itself.
pub(crate) struct Caller {
    service: ConformanceClient,
    other: ConformanceOtherClient,
}

/// Why a case failed.
#[derive(Debug)]
pub(crate) struct Fault(pub(crate) String);
type Case = Result<(), Fault>;

impl From<ClientError> for Fault {
    fn from(error: ClientError) -> Fault {
        Fault(format!("{error:?}"))
    }
}

impl From<ThriftException> for Fault {
    fn from(error: ThriftException) -> Fault {
        Fault(format!("{error:?}"))
    }
}

/// Connections that are encrypted, to a server that is called localhost.
fn tls(authority: &str) -> TlsMakeTransport {
    let connector = TlsConnector::builder().enable_default_root_certs(false);
    let connector = connector.add_pem_from_file(authority).and_then(|connector| connector.build());
    let settings = ClientTlsConfig::new("localhost", connector.expect("the authority's certificate"));
    TlsMakeTransport::new(Config::default(), settings)
}

impl Caller {
    /// `authority` is the file of whoever signed the server's certificate; without one nothing is encrypted.
    pub(crate) fn new(server: &str, encoding: &str, authority: Option<&str>) -> Option<Caller> {
        let address: SocketAddr = server.parse().ok()?;
        macro_rules! build {
            ($builder:expr, $codec:expr) => {{
                let builder = $builder.make_codec($codec).address(address);
                match authority {
                    Some(file) => builder.make_transport(tls(file)).build(),
                    None => builder.build(),
                }
            }};
        }
        macro_rules! clients {
            ($codec:expr) => {
                Caller {
                    service: build!(ConformanceClientBuilder::new("Conformance"), $codec),
                    other: build!(ConformanceOtherClientBuilder::new("Conformance"), $codec),
                }
            };
        }
        match encoding {
            "ttheader-framed-binary" => Some(clients!(DefaultMakeCodec::ttheader_framed())),
            "framed-binary" => Some(clients!(DefaultMakeCodec::framed())),
            "unframed-binary" => Some(clients!(DefaultMakeCodec::buffered())),
            "ttheader-binary" => {
                Some(clients!(DefaultMakeCodec::new(MakeTTHeaderCodec::new(MakeThriftCodec::default()))))
            }
            // Its compact protocol writes doubles in one order of bytes and reads them in the other, and panics on what it reads.
            _ => None,
        }
    }

    pub(crate) async fn run(&self, kind: &str, name: &str, value: &str, text: &str) -> Case {
        let service = &self.service;
        match kind {
            "bool" => echo(value == "true", |value| service.echo_bool(value)).await,
            "i8" => echo(integer(value) as i8, |value| service.echo_i8(value)).await,
            "i16" => echo(integer(value) as i16, |value| service.echo_i16(value)).await,
            "i32" => echo(integer(value) as i32, |value| service.echo_i32(value)).await,
            "i64" => echo(integer(value), |value| service.echo_i64(value)).await,
            "uuid" | "identified" => Err(Fault("Volo's compiler writes lists of uuids that do not compile".into())),
            "double" => {
                let number = f64::from_bits(u64::from_str_radix(value, 16).expect("digits"));
                expect("echo", service.echo_double(number).await?.describe(), number.describe())
            }
            "string" => {
                let string = FastStr::from_string(String::from_utf8(hex(value)).expect("UTF-8"));
                expect("describe", &*service.describe_text(string.clone()).await?, text)?;
                expect("echo", service.echo_string(string.clone()).await?, string)
            }
            "binary" => {
                let length: usize = value.parse().expect("a length");
                let content: Bytes = (0..length).map(|i| (31 * i + length) as u8).collect::<Vec<u8>>().into();
                expect("describe", &*service.describe_binary(content.clone()).await?, text)?;
                expect("echo", service.echo_binary(content.clone()).await? == content, true)
            }
            "choice" => {
                let choice: Choice = decode(value)?;
                expect("own decoding", &*choice.describe(), text)?;
                expect("echo", &*service.echo_choice(choice).await?.describe(), text)
            }
            "everything" => {
                let everything: Everything = decode(value)?;
                expect("own decoding", &*everything.describe(), text)?;
                expect("describe", &*service.describe_everything(everything.clone()).await?, text)?;
                expect("echo", &*service.echo_everything(everything).await?.describe(), text)?;
                expect("compose", &*self.compose(name).await?.describe(), text)
            }
            "arguments" => {
                let answer = service.describe_scalars(true, -5, -300, 70_000, -(1 << 40), 1.5, Colour::VIOLET).await?;
                expect("describe", &*answer, text)
            }
            "defaults" => expect("describe", &*service.describe_defaults(Defaults::default()).await?, text),
            "newer" => expect("describe", &*self.other.describe_narrow(self.compose("full").await?).await?, text),
            "older" => expect("compose", &*self.other.compose("full".into()).await?.describe(), text),
            "risk" => {
                let came = match service.risk(outcome(name)).await {
                    Ok(MaybeException::Ok(fine)) => fine.to_string(),
                    Ok(MaybeException::Exception(ConformanceRiskException::Lost(lost))) => not_found(&lost),
                    Ok(MaybeException::Exception(ConformanceRiskException::Conflict(it))) => conflict(&it),
                    Ok(MaybeException::Exception(ConformanceRiskException::Nothing(_))) => "Nothing".into(),
                    Err(error) => application(error)?,
                };
                expect("outcome", &*came, text)
            }
            "risk_void" => {
                let came = match service.risk_void(outcome(name)).await {
                    Ok(MaybeException::Ok(())) => "-".into(),
                    Ok(MaybeException::Exception(ConformanceRiskVoidException::Lost(lost))) => not_found(&lost),
                    Ok(MaybeException::Exception(ConformanceRiskVoidException::Conflict(it))) => conflict(&it),
                    Ok(MaybeException::Exception(ConformanceRiskVoidException::Nothing(_))) => "Nothing".into(),
                    Err(error) => application(error)?,
                };
                expect("outcome", &*came, text)
            }
            "call" => self.call(name).await,
            "struct_keys" => {
                let table: AHashMap<Point, FastStr> =
                    [(Point { x: 1, y: 2 }, "one".into()), (Point { x: -1, y: i32::MAX }, "two".into())]
                        .into_iter()
                        .collect();
                expect("describe", &*service.describe_struct_keys(table.clone()).await?, text)?;
                expect("echo", &*service.echo_struct_keys(table).await?.describe(), text)
            }
            "lists_in_set" => {
                let lists: AHashSet<Vec<i32>> = [vec![], vec![1, 2], vec![-3]].into_iter().collect();
                match name {
                    "describe" => expect("describe", &*service.describe_lists_in_set(lists).await?, text),
                    _ => expect("echo", &*service.echo_lists_in_set(lists).await?.describe(), text),
                }
            }
            _ => Err(Fault("an unknown kind of case".into())),
        }
    }

    async fn compose(&self, name: &str) -> Result<Everything, Fault> {
        match self.service.compose(name.to_string().into()).await? {
            MaybeException::Ok(everything) => Ok(everything),
            MaybeException::Exception(ConformanceComposeException::Unknown(unknown)) => Err(Fault(not_found(&unknown))),
        }
    }

    async fn call(&self, name: &str) -> Case {
        match name {
            "ping" => Ok(self.service.ping().await?),
            "oneway" => {
                let owner = format!("volo-{}-{:?}", std::process::id(), std::time::Instant::now()).replace(": ", "-");
                for count in 1..=3 {
                    self.service.note(format!("{owner}: note {count} · нота").into()).await?;
                    let notes = self.service.notes(owner.clone().into()).await?;
                    expect("notes", notes.to_string(), format!("{count} note {count} · нота"))?;
                }
                Ok(())
            }
            "unknown_method" => {
                for _ in 0..3 {
                    match self.other.missing(1).await {
                        Ok(answer) => return Err(Fault(format!("an answer, {answer}"))),
                        Err(error) => expect("answer", &*application(error)?, "TApplicationException 1")?,
                    }
                    self.service.ping().await?;
                }
                Ok(())
            }
            // Volo numbers its calls and checks the numbers of their replies.
            "sequence_ids" => {
                for i in 0..500 {
                    expect("echo", self.service.echo_i32(i).await?, i)?;
                }
                Ok(())
            }
            _ => Err(Fault("an unknown case".into())),
        }
    }
}

fn application(error: ClientError) -> Result<String, Fault> {
    match error {
        ClientError::Application(refused) => Ok(format!("TApplicationException {}", i32::from(refused.kind()))),
        other => Err(other.into()),
    }
}

fn not_found(lost: &NotFound) -> String {
    format!("NotFound \"{}\"", lost.name)
}

fn conflict(conflict: &Conflict) -> String {
    let (reason, at) = (
        conflict.reason.clone().unwrap_or_default(),
        conflict.r#where.as_ref().map(Describe::describe).unwrap_or_default(),
    );
    format!("Conflict {} with {reason} at {at}", conflict.code)
}

fn outcome(name: &str) -> Outcome {
    match name {
        "not_found" => Outcome::NOT_FOUND,
        "conflict" => Outcome::CONFLICT,
        "nothing" => Outcome::NOTHING,
        "undeclared" => Outcome::UNDECLARED,
        _ => Outcome::VALUE,
    }
}

fn expect<T: PartialEq + Debug>(what: &str, got: T, wanted: T) -> Case {
    match got == wanted {
        true => Ok(()),
        false => Err(Fault(format!("{what}: {got:?}, not {wanted:?}"))),
    }
}

async fn echo<T: PartialEq + Copy + Debug, F: Future<Output = Result<T, ClientError>>>(
    value: T,
    call: impl FnOnce(T) -> F,
) -> Case {
    expect("echo", call(value).await?, value)
}

fn integer(text: &str) -> i64 {
    text.parse().expect("an integer")
}

fn hex(digits: &str) -> Vec<u8> {
    let pairs = (0..digits.len() / 2).map(|i| &digits[2 * i..2 * i + 2]);
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal digits")).collect()
}

fn decode<T: Message>(digits: &str) -> Result<T, Fault> {
    let mut content = Bytes::from(hex(digits));
    Ok(T::decode(&mut TBinaryProtocol::new(&mut content, false))?)
}
