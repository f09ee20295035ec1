//! This project's Rust client.

use crate::Arguments;
use crate::caller::Fault;
use crate::idl::conformance::{ConformanceOtherSyncClient, TConformanceOtherSyncClient, TConformanceSyncClient};
use crate::idl::conformance_uuid::{ConformanceUuidSyncClient, TConformanceUuidSyncClient};
use calculate::client::{CalculateError, Client, Options, Tls};
use calculate::wire::binary::BinaryInput;
use calculate::wire::{Framing, Limits, Protocol};
use std::sync::Arc;
use thrift::protocol::TInputProtocol;
use tokio::runtime::Runtime;

/// A connected client.
pub(crate) struct Ours {
    client: Client,
    runtime: Arc<Runtime>,
}

impl Ours {
    pub(crate) fn connect(arguments: &Arguments) -> Result<Ours, Fault> {
        let unsupported = || Fault::Unsupported(format!("this client does not speak {}", arguments.encoding));
        let (framing, protocol) = arguments.encoding.split_once('-').ok_or_else(unsupported)?;
        let framing = match framing {
            "framed" => Framing::Framed,
            "unframed" => Framing::Unframed,
            _ => return Err(unsupported()),
        };
        let protocol = match protocol {
            "binary" => Protocol::Binary,
            "compact" => Protocol::Compact,
            _ => return Err(unsupported()),
        };
        let tls = arguments.tls_ca.as_ref().map(Tls::with_ca).transpose();
        let tls = tls.map_err(|error| Fault::Other(error.to_string()))?;
        let options = Options { framing, protocol, tls, ..Options::default() };
        let target = arguments.server.parse().map_err(|_| Fault::Other("no target".into()))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = Arc::new(runtime.map_err(|error| Fault::Other(error.to_string()))?);
        let client = runtime.block_on(Client::connect(target, options))?;
        Ok(Ours { client, runtime })
    }

    pub(crate) fn call<R>(
        &self,
        method: &'static str,
        stub: impl Fn(&mut dyn TConformanceUuidSyncClient) -> thrift::Result<R>,
    ) -> Result<R, Fault> {
        let call = self.client.call(method, |input, output| stub(&mut ConformanceUuidSyncClient::new(input, output)));
        Ok(self.runtime.block_on(call)?)
    }

    pub(crate) fn call_other<R>(
        &self,
        method: &'static str,
        stub: impl Fn(&mut dyn TConformanceOtherSyncClient) -> thrift::Result<R>,
    ) -> Result<R, Fault> {
        let call = self.client.call(method, |input, output| stub(&mut ConformanceOtherSyncClient::new(input, output)));
        Ok(self.runtime.block_on(call)?)
    }

    pub(crate) fn decode<R>(
        bytes: &[u8],
        read: impl FnOnce(&mut dyn TInputProtocol) -> thrift::Result<R>,
    ) -> Result<R, Fault> {
        Ok(read(&mut BinaryInput::new(bytes, &Limits::default()))?)
    }

    /// This client chooses them and checks them: calls in flight together must each get their own answer.
    pub(crate) fn sequence_ids(&self) -> Result<(), Fault> {
        let calls: Vec<_> = (0..500)
            .map(|i| {
                let (client, text) = (self.client.clone(), format!("call {i}"));
                let wanted = text.clone();
                let call = async move {
                    let answer = client.call("EchoString", |input, output| {
                        ConformanceUuidSyncClient::new(input, output).echo_string(text.clone())
                    });
                    answer.await
                };
                (wanted, self.runtime.spawn(call))
            })
            .collect();
        for (wanted, call) in calls {
            let got = self.runtime.block_on(call).map_err(|error| Fault::Other(error.to_string()))??;
            if got != wanted {
                return Err(Fault::Other(format!("{got} was answered to {wanted}")));
            }
        }
        Ok(())
    }
}

impl From<CalculateError> for Fault {
    fn from(error: CalculateError) -> Fault {
        match error {
            CalculateError::Application(answer) => Fault::Application(answer.code.0),
            CalculateError::Declared(declared) => Fault::declared(&*declared.exception),
            other => Fault::Other(other.to_string()),
        }
    }
}
