-- Answers of requests that must take effect once (see @haat/kit/idempotency); copied into a service's migration.
create table idempotency_keys (
  scope        text not null,               -- who and what: "<rpc>:<caller id>"
  key          text not null,
  request_hash text not null,
  resource_id  uuid not null,               -- the id the first attempt chose; a resumed attempt uses the same
  response     bytea,                       -- the encoded answer; null while in flight
  locked_until timestamptz not null,        -- an attempt that did not end by then may be taken over
  created_at   timestamptz not null default now(),
  primary key (scope, key)
);
create index idempotency_keys_created_at on idempotency_keys (created_at);
