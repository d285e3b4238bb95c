//! The agent's answers to the command line and to its peer.

use std::rc::Rc;

use hyper::{Method, StatusCode};
use tokio::net::TcpListener;
use twinlock_pair::promise::may_promise;
use twinlock_pair::register::MemberName;
use twinlock_pair::view::{Order, View};

use super::shared::Shared;
use super::{peer, status};
use crate::api::{PromiseAnswer, PromiseRequest};
use crate::clock::now;
use crate::http::{self, Call, Reply};

/// Serves for ever.
pub(super) async fn serve(shared: Rc<Shared>, listener: TcpListener) {
    let control = shared.control.clone();
    http::serve(listener, control, move |call| {
        let shared = Rc::clone(&shared);
        async move { answer(&shared, &call).await }
    })
    .await;
}

async fn answer(shared: &Shared, call: &Call) -> Reply {
    match (&call.method, call.path.as_str()) {
        (&Method::GET, "/v1/status") => {
            Reply::ok(&status::status(shared, call.query.as_deref() == Some("handshake")).await)
        }
        (&Method::GET, "/v1/report") => Reply::ok(&peer::report(shared)),
        (&Method::POST, "/v1/promise") => promise(shared, call),
        (&Method::POST, "/v1/order") => order(shared, call),
        _ => Reply::not_found(),
    }
}

/// Promises the active not to seek the lease, unless that would not be true.
fn promise(shared: &Shared, call: &Call) -> Reply {
    let request: PromiseRequest = match call.json() {
        Ok(request) => request,
        Err(reply) => return reply,
    };
    let Some(view) = fresh_view(shared) else {
        return Reply::refused(StatusCode::CONFLICT, "this member has not looked around yet");
    };
    if let Err(why) = may_promise(&view, &MemberName(request.member), request.generation) {
        return Reply::refused(StatusCode::CONFLICT, why);
    }
    let promised_ms = shared.config.timing.promise_ms;
    let until = now().after(std::time::Duration::from_millis(promised_ms));
    shared.promised_until.set(Some(until));
    Reply::ok(&PromiseAnswer { promised_ms })
}

/// The last view, with what has changed since without a look at the instance.
fn fresh_view(shared: &Shared) -> Option<View> {
    let view = shared.view.borrow().clone()?;
    Some(View {
        now: now(),
        register: shared.register.borrow().clone(),
        asked: shared.asked.get(),
        promised_until: shared.promised_until.get(),
        ..view
    })
}

fn order(shared: &Shared, call: &Call) -> Reply {
    let order: Order = match call.json() {
        Ok(order) => order,
        Err(reply) => return reply,
    };
    let active = shared.reading().is_some_and(|reading| reading.register.active == shared.me);
    if order == Order::Switchover && !active {
        return Reply::refused(StatusCode::CONFLICT, "this member is not active; ask the other one");
    }
    shared.order.set(Some(order));
    shared.wake.notify_one();
    Reply::ok(&serde_json::json!({}))
}
