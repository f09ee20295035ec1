//! The gRPC likeness of the service: tonic on a runtime of one thread, for comparing gRPC's clients.

use std::error::Error;

use calculate_peers::{NEGATIVE, cal, square};
use proto::Number;
use proto::calculate_server::{Calculate, CalculateServer};
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

mod proto {
    tonic::include_proto!("calculate");
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::from_std(calculate_peers::bind()?)?;
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    Server::builder().add_service(CalculateServer::new(Handler)).serve_with_incoming(incoming).await?;
    Ok(())
}

struct Handler;

#[tonic::async_trait]
impl Calculate for Handler {
    async fn square(&self, request: Request<Number>) -> Result<Response<Number>, Status> {
        match square(request.into_inner().value) {
            Some(value) => Ok(Response::new(Number { value })),
            None => Err(Status::invalid_argument(NEGATIVE)),
        }
    }

    async fn cal(&self, request: Request<Number>) -> Result<Response<Number>, Status> {
        let value = cal(request.into_inner().value);
        Ok(Response::new(Number { value }))
    }
}
