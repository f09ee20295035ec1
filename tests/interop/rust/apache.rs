//! Apache's own Rust library, unmodified: stock transports, protocols and channel. It has no TLS.

use crate::Arguments;
use crate::caller::Fault;
use crate::idl::conformance::ConformanceOtherSyncClient;
use crate::idl::conformance_uuid::ConformanceUuidSyncClient;
use std::net::TcpStream;
use std::time::Duration;
use thrift::TThriftClient;
use thrift::protocol::{
    TBinaryInputProtocol, TBinaryOutputProtocol, TCompactInputProtocol, TCompactOutputProtocol, TFieldIdentifier,
    TInputProtocol, TMessageIdentifier, TMessageType, TMultiplexedOutputProtocol, TOutputProtocol, TStructIdentifier,
    TType,
};
use thrift::transport::{
    TBufferedReadTransport, TBufferedWriteTransport, TFramedReadTransport, TFramedWriteTransport, TIoChannel,
    TReadTransport, TTcpChannel, TWriteTransport,
};

type Input = Box<dyn TInputProtocol>;
type Output = Box<dyn TOutputProtocol>;

/// One connection. Two generated clients take turns on it.
pub(crate) struct Apache {
    pub(crate) service: ConformanceUuidSyncClient<Input, Output>,
    pub(crate) other: ConformanceOtherSyncClient<Input, Output>,
}

impl Apache {
    pub(crate) fn connect(arguments: &Arguments) -> Result<Apache, Fault> {
        if arguments.tls_ca.is_some() {
            return Err(Fault::Unsupported("Apache's Rust library has no TLS".into()));
        }
        let io = |error: std::io::Error| Fault::Other(error.to_string());
        let stream = TcpStream::connect(&arguments.server).map_err(io)?;
        stream.set_nodelay(true).map_err(io)?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).map_err(io)?;
        let (input, output) = protocols(stream.try_clone().map_err(io)?, &arguments.encoding)?;
        let (other_input, other_output) = protocols(stream, &arguments.encoding)?;
        Ok(Apache {
            service: ConformanceUuidSyncClient::new(input, output),
            other: ConformanceOtherSyncClient::new(other_input, other_output),
        })
    }

    pub(crate) fn decode<R>(
        bytes: &[u8],
        read: impl FnOnce(&mut dyn TInputProtocol) -> thrift::Result<R>,
    ) -> Result<R, Fault> {
        Ok(read(&mut TBinaryInputProtocol::new(bytes, true))?)
    }

    /// The generated client checks them; here are some that it would not come to.
    pub(crate) fn sequence_ids(&mut self) -> Result<(), Fault> {
        for id in [0, 1, 77, i32::MAX, -1, i32::MIN] {
            let output = self.service.o_prot_mut();
            output.write_message_begin(&TMessageIdentifier::new("Ping", TMessageType::Call, id))?;
            output.write_struct_begin(&TStructIdentifier::new("Ping_args"))?;
            output.write_field_stop()?;
            output.write_struct_end()?;
            output.write_message_end()?;
            output.flush()?;
            let input = self.service.i_prot_mut();
            let reply = input.read_message_begin()?;
            input.read_struct_begin()?;
            let stop = input.read_field_begin()?;
            input.read_struct_end()?;
            input.read_message_end()?;
            if reply != TMessageIdentifier::new("Ping", TMessageType::Reply, id) || !is_stop(&stop) {
                return Err(Fault::Other(format!("{reply:?}, {stop:?} to {id}")));
            }
        }
        Ok(())
    }
}

fn is_stop(field: &TFieldIdentifier) -> bool {
    field.field_type == TType::Stop
}

fn protocols(stream: TcpStream, encoding: &str) -> Result<(Input, Output), Fault> {
    let unsupported = || Fault::Unsupported(format!("Apache's Rust library does not speak {encoding}"));
    let (reader, writer) = TTcpChannel::with_stream(stream).split()?;
    let words: Vec<&str> = encoding.split('-').collect();
    let (reader, writer): (Box<dyn TReadTransport + Send>, Box<dyn TWriteTransport + Send>) = match words[0] {
        "framed" => (Box::new(TFramedReadTransport::new(reader)), Box::new(TFramedWriteTransport::new(writer))),
        "unframed" => (Box::new(TBufferedReadTransport::new(reader)), Box::new(TBufferedWriteTransport::new(writer))),
        _ => return Err(unsupported()),
    };
    let (input, output): (Input, Output) = match words[1] {
        "binary" => {
            (Box::new(TBinaryInputProtocol::new(reader, true)), Box::new(TBinaryOutputProtocol::new(writer, true)))
        }
        "nonstrict" => {
            (Box::new(TBinaryInputProtocol::new(reader, false)), Box::new(TBinaryOutputProtocol::new(writer, false)))
        }
        "compact" => (Box::new(TCompactInputProtocol::new(reader)), Box::new(TCompactOutputProtocol::new(writer))),
        _ => return Err(unsupported()),
    };
    Ok(match words.get(2) {
        Some(_) => (input, Box::new(TMultiplexedOutputProtocol::new("Conformance", output))),
        None => (input, output),
    })
}
