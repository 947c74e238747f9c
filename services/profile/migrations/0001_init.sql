create table profiles (
  user_id          uuid primary key,
  -- Null: never told; empty: cleared by the person.
  name             text,
  phone            text,
  avatar_url       text not null default '',
  dob              date check (dob >= '1900-01-01'),
  locale           text check (locale in ('en', 'bn')),
  marketing_opt_in boolean not null default false,
  created_at       timestamptz not null default now(),
  updated_at       timestamptz not null default now(),
  -- The person has left: the row stays, empty, so that nothing late brings them back.
  forgotten_at     timestamptz,
  constraint profiles_forgotten_blank check (
    forgotten_at is null
    or (name is null and phone is null and avatar_url = '' and dob is null and locale is null and not marketing_opt_in)
  )
);

create table addresses (
  id          uuid primary key,
  user_id     uuid not null references profiles (user_id),
  label       text not null default '',
  name        text not null,
  line1       text not null,
  line2       text not null default '',
  city        text not null,
  state       text not null default '',
  postal_code text not null default '',
  country     char(2) not null,
  phone       text not null default '',
  is_default  boolean not null default false,
  created_at  timestamptz not null default now(),
  updated_at  timestamptz not null default now()
);
create index addresses_user_id on addresses (user_id);
create index addresses_user_id_is_default on addresses (user_id, is_default);
-- Whatever goes wrong above, nobody has two defaults.
create unique index addresses_one_default on addresses (user_id) where is_default;

-- Tables of the event machinery. Every PostgreSQL service that emits or handles events copies this file into its first
-- migration (migrations/0001_init.sql). Rows are written by emit() and on() inside the business transaction.

-- Events that are committed but not yet confirmed by the broker. Normally (almost) empty: the relay deletes what it published.
create table outbox (
  -- Publishing order and the envelope's aggregate.sequence. It grows per aggregate because a writer holds the aggregate's row
  -- while it emits; across aggregates ids may commit out of order, so nobody reads this table with a cursor.
  id bigint generated always as identity primary key,
  -- The id consumers recognise duplicates by.
  event_id uuid not null unique,
  -- Routing key: "order.paid".
  type text not null,
  aggregate_type text not null,
  aggregate_id text not null,
  -- The envelope as it goes on the wire, without aggregate.sequence.
  envelope jsonb not null,
  occurred_at timestamptz not null default now()
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_insert_scale_factor = 0);

-- Which handler has already taken effect for which event; committed together with the handler's own writes. Rows are kept
-- for 14 days, longer than dead letters and replays are used, and then swept every hour.
create table inbox (
  -- The handler's queue name: "order.payment.succeeded".
  consumer text not null,
  event_id uuid not null,
  handled_at timestamptz not null default now(),
  primary key (consumer, event_id)
);
create index inbox_handled_at on inbox (handled_at);
