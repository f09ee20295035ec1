//! The server of the thrift crate, as its documentation has it: framed binary, one worker thread a connection.

use std::error::Error;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use calculate_peers::idl::CalculateSyncProcessor;
use calculate_peers::{Handler, announce, listen_address, option};
use thrift::protocol::{TBinaryInputProtocolFactory, TBinaryOutputProtocolFactory};
use thrift::server::TServer;
use thrift::transport::{TFramedReadTransportFactory, TFramedWriteTransportFactory};

fn main() -> Result<(), Box<dyn Error>> {
    let address = choose_port(listen_address())?;
    let mut server = TServer::new(
        TFramedReadTransportFactory::new(),
        TBinaryInputProtocolFactory::new(),
        TFramedWriteTransportFactory::new(),
        TBinaryOutputProtocolFactory::new(),
        CalculateSyncProcessor::new(Handler),
        option("--workers").unwrap_or(WORKERS),
    );
    let serving = thread::spawn(move || server.listen(address));
    while TcpStream::connect(address).is_err() {
        if serving.is_finished() {
            break;
        }
        thread::yield_now();
    }
    if !serving.is_finished() {
        announce(address)?;
    }
    serving.join().expect("the accept loop does not panic")?;
    Ok(())
}

/// A worker serves one connection until it closes, so there must be as many as connections.
const WORKERS: usize = 128;

/// `TServer` binds an address itself and does not tell which port it got, so port 0 is resolved here.
fn choose_port(address: SocketAddr) -> std::io::Result<SocketAddr> {
    TcpListener::bind(address)?.local_addr()
}
