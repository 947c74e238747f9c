create extension if not exists pg_trgm;

create table users (
  id                 uuid primary key,
  -- Lower case; null once the person is forgotten.
  email              text unique check (email = lower(email)),
  -- Argon2id in PHC form, after the id of the pepper it was made with; null once forgotten.
  password_hash      text,
  name               text not null,
  locale             text not null check (locale in ('en', 'bn')),
  status             text not null check (status in ('active', 'blocked', 'pending')),
  email_verified_at  timestamptz,
  -- What vendor_members says for this person at the moment, as tokens carry it.
  vendor_id          uuid,
  vendor_permissions text[] not null default '{}',
  -- Sequence of the last profile.updated that was taken over.
  profile_sequence   bigint not null default 0,
  created_at         timestamptz not null default now(),
  updated_at         timestamptz not null default now(),
  last_login_at      timestamptz,
  forgotten_at       timestamptz,
  constraint users_forgotten_blank check (
    forgotten_at is null or (email is null and password_hash is null and name = '' and status = 'blocked')
  )
);
create index users_vendor_id on users (vendor_id) where vendor_id is not null;
create index users_status on users (status, id desc);
create index users_search on users using gin (email gin_trgm_ops, name gin_trgm_ops);

create table roles (
  id       uuid primary key default gen_random_uuid(),
  name     text not null unique,
  built_in boolean not null default false
);
insert into roles (name, built_in)
values ('super_admin', true), ('vendor_admin', true), ('staff', true), ('customer', true);

create table user_roles (
  user_id uuid not null references users (id),
  role_id uuid not null references roles (id),
  primary key (user_id, role_id)
);
create index user_roles_role_id on user_roles (role_id);

-- Platform permissions: every key the contracts name, added at start.
create table permissions (
  id  uuid primary key default gen_random_uuid(),
  key text not null unique
);

create table role_permissions (
  role_id uuid not null references roles (id),
  perm_id uuid not null references permissions (id),
  primary key (role_id, perm_id)
);
create index role_permissions_perm_id on role_permissions (perm_id);

-- A session is a family of refresh tokens: it is open while revoked_at is null and expires_at lies ahead.
create table sessions (
  id            uuid primary key,
  user_id       uuid not null references users (id),
  user_agent    text not null default '',
  ip            text not null default '',
  created_at    timestamptz not null,
  last_used_at  timestamptz not null,
  -- Moves with each refresh, never past ends_at.
  expires_at    timestamptz not null,
  ends_at       timestamptz not null,
  revoked_at    timestamptz,
  revoke_reason text
);
create index sessions_open on sessions (user_id, last_used_at desc, id desc) where revoked_at is null;
create index sessions_expires_at on sessions (expires_at);

create table refresh_tokens (
  id               uuid primary key,
  user_id          uuid not null references users (id),
  session_id       uuid not null references sessions (id) on delete cascade,
  -- SHA-256 of the token; the token itself is nowhere.
  token_hash       bytea not null unique,
  created_at       timestamptz not null,
  expires_at       timestamptz not null,
  used_at          timestamptz,
  revoked_at       timestamptz,
  -- The token that replaced this one, sealed under this one: readable only to who shows it.
  successor_id     uuid references refresh_tokens (id) on delete set null deferrable initially deferred,
  successor_sealed bytea
);
create index refresh_tokens_session_id on refresh_tokens (session_id);
create index refresh_tokens_user_id on refresh_tokens (user_id);
create index refresh_tokens_successor_id on refresh_tokens (successor_id);

create table password_resets (
  id         uuid primary key,
  -- Null when the e-mail was unknown: both cases do the same work.
  user_id    uuid references users (id),
  token_hash bytea not null unique,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at    timestamptz
);
create index password_resets_user_id on password_resets (user_id);
create index password_resets_expires_at on password_resets (expires_at);

create table email_verifications (
  id         uuid primary key,
  user_id    uuid not null references users (id),
  token_hash bytea not null unique,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at    timestamptz
);
create index email_verifications_user_id on email_verifications (user_id);
create index email_verifications_expires_at on email_verifications (expires_at);

create table service_accounts (
  id            uuid primary key,
  name          text not null unique,
  -- service: one of Haat's own, from configuration; tool: made by an operator.
  kind          text not null check (kind in ('service', 'tool')),
  -- SHA-256 of the secrets that work; two while one is being replaced.
  secret_hashes bytea[] not null,
  permissions   text[] not null default '{}',
  created_at    timestamptz not null default now(),
  last_used_at  timestamptz,
  revoked_at    timestamptz
);

-- A key signs from signs_from until the next one does, and is published from its creation until its last token has expired.
create table signing_keys (
  kid            text primary key,
  public_key     text not null,
  -- AES-256-GCM under the secret whose id is secret_id.
  private_sealed bytea not null,
  secret_id      text not null,
  signs_from     timestamptz not null unique,
  created_at     timestamptz not null default now()
);

-- Counters behind the limits: failures of a person or an address, uses within a window.
create table throttles (
  key           text primary key,
  count         integer not null,
  started_at    timestamptz not null,
  last_at       timestamptz not null,
  blocked_until timestamptz
);
create index throttles_last_at on throttles (last_at);

-- What auth knows of vendors, from their events; sequences tell late events from new ones.
create table vendors (
  vendor_id        uuid primary key,
  is_active        boolean not null default false,
  sequence         bigint not null default 0,
  members_sequence bigint not null default 0
);
create table vendor_members (
  vendor_id   uuid not null references vendors (vendor_id),
  user_id     uuid not null,
  is_member   boolean not null,
  permissions text[] not null default '{}',
  sequence    bigint not null,
  primary key (vendor_id, user_id)
);
create index vendor_members_user_id on vendor_members (user_id);

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
