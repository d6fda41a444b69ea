//! The limits of actix-web and Redis: one command for a poll, one pipeline for a POST, on one
//! multiplexed connection, and nothing else.

use actix_web::{App, HttpResponse, HttpServer, web};
use redis::aio::MultiplexedConnection;
use std::path::PathBuf;
use uuid::Uuid;

const TTL_SECONDS: u64 = 86_400;

/// Serves on a free port, which it writes into `address_file`.
pub(crate) async fn serve(url: &str, address_file: PathBuf) -> anyhow::Result<()> {
    let connection = redis::Client::open(url)?
        .get_multiplexed_async_connection()
        .await?;
    let connection = web::Data::new(connection);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(connection.clone())
            .route("/poll/{id}", web::get().to(poll))
            .route("/submit", web::post().to(submit))
    })
    .bind(("127.0.0.1", 0))?;
    std::fs::write(address_file, server.addrs()[0].to_string())?;
    Ok(server.run().await?)
}

async fn poll(
    id: web::Path<Uuid>,
    connection: web::Data<MultiplexedConnection>,
) -> actix_web::Result<HttpResponse> {
    let mut connection = connection.get_ref().clone();
    let record: Option<Vec<u8>> = redis::cmd("GET")
        .arg(format!("peer:{id}"))
        .query_async(&mut connection)
        .await
        .map_err(actix_web::error::ErrorServiceUnavailable)?;
    Ok(match record {
        Some(record) => HttpResponse::Ok()
            .content_type("application/json")
            .body(record),
        None => HttpResponse::NotFound().finish(),
    })
}

async fn submit(
    body: web::Bytes,
    connection: web::Data<MultiplexedConnection>,
) -> actix_web::Result<HttpResponse> {
    let mut connection = connection.get_ref().clone();
    let id = Uuid::new_v4().to_string();
    let () = redis::pipe()
        .set_ex(format!("peer:{id}"), &body[..], TTL_SECONDS)
        .ignore()
        .lpush("peer:queue", &id)
        .ignore()
        .query_async(&mut connection)
        .await
        .map_err(actix_web::error::ErrorServiceUnavailable)?;
    Ok(HttpResponse::Ok().json(serde_json::json!({"session_id": id, "status": "pending"})))
}
