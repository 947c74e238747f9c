-- What the two processes of the event row need: the tables of the event machinery, and something for a handler to write.
create table outbox (
  id             bigint generated always as identity primary key,
  event_id       uuid not null unique,
  type           text not null,
  aggregate_type text not null,
  aggregate_id   text not null,
  envelope       jsonb not null,
  occurred_at    timestamptz not null default now()
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_insert_scale_factor = 0);
create table inbox (
  consumer   text not null,
  event_id   uuid not null,
  handled_at timestamptz not null default now(),
  primary key (consumer, event_id)
);
create index inbox_handled_at on inbox (handled_at);
create table levels (
  sku       text primary key,
  available integer not null,
  changes   integer not null default 1
);
