-- Every version of every template; the current one of (key, channel, locale) is used for new messages.
create table templates (
  id           uuid primary key,
  key          text not null,
  channel      text not null check (channel in ('email', 'sms', 'push')),
  locale       text not null check (locale in ('en', 'bn')),
  version      integer not null check (version > 0),
  subject      text not null default '',
  body_md      text not null,
  topic        text not null check (topic in ('account', 'orders', 'shipping', 'reviews', 'vendor', 'marketing')),
  confidential boolean not null default false,
  is_current   boolean not null,
  -- The text came with Haat; a later release may replace it.
  built_in     boolean not null,
  created_by   uuid,
  created_at   timestamptz not null default now(),
  unique (key, channel, locale, version)
);
create unique index templates_key on templates (key, channel, locale) where is_current;

-- What messages need to know about people, from user.created and profile.updated; asked from auth when it is missing.
create table people (
  user_id          uuid primary key,
  email            text not null default '',
  name             text not null default '',
  phone            text not null default '',
  locale           text not null default 'en',
  marketing_opt_in boolean not null default false,
  -- aggregate.sequence of the profile.updated that was applied last.
  profile_sequence bigint not null default 0,
  -- The person has left: nothing is kept and nothing is sent.
  forgotten_at     timestamptz
);

-- Only what differs from the defaults.
create table preferences (
  user_id    uuid not null,
  topic      text not null,
  channel    text not null,
  enabled    boolean not null,
  updated_at timestamptz not null default now(),
  primary key (user_id, topic, channel)
);

create table push_subscriptions (
  id         uuid primary key,
  user_id    uuid not null,
  endpoint   text not null unique,
  p256dh     text not null,
  auth       text not null,
  created_at timestamptz not null default now()
);
create index push_subscriptions_user_id on push_subscriptions (user_id, created_at desc);

-- What a vendor's people are to be told, until it is known who they are.
create table notices (
  id              uuid primary key,
  event_id        uuid not null,
  template_key    text not null,
  vendor_id       uuid not null,
  permission      text not null,
  payload_json    jsonb not null,
  status          text not null default 'queued' check (status in ('queued', 'failed')),
  error           text not null default '',
  attempts        integer not null default 0,
  next_attempt_at timestamptz,
  leased_until    timestamptz,
  created_at      timestamptz not null default now(),
  unique (event_id, template_key, vendor_id)
);
create index notices_due on notices (next_attempt_at) where status = 'queued';

create table messages (
  id               uuid primary key,
  template_key     text not null,
  -- 0 until the message is written.
  template_version integer not null default 0,
  channel          text not null check (channel in ('email', 'sms', 'push')),
  locale           text not null default '',
  topic            text not null,
  confidential     boolean not null default false,
  user_id          uuid,
  -- Empty until the person's address is known, and after the person is forgotten.
  "to"             text not null default '',
  -- Whom the message is for, within its event: user:<id>, push:<subscription id>, to:<hash of the address>.
  recipient        text not null,
  payload_json     jsonb not null,
  subject          text not null default '',
  body_html        text not null default '',
  body_text        text not null default '',
  link             text not null default '',
  status           text not null check (status in ('queued', 'sent', 'failed', 'suppressed')),
  -- Account mail goes first, marketing last.
  priority         smallint not null default 1,
  provider         text not null default '',
  provider_id      text not null default '',
  error            text not null default '',
  attempts         integer not null default 0,
  next_attempt_at  timestamptz,
  -- An attempt is under way; one that has not ended by then may be taken over.
  leased_until     timestamptz,
  -- After this the message is of no use (its link has expired).
  expires_at       timestamptz,
  event_id         uuid,
  dedupe_key       text unique,
  request_hash     text,
  created_at       timestamptz not null default now(),
  sent_at          timestamptz,
  constraint messages_once unique (event_id, recipient, template_key, channel)
);
create index messages_status on messages (status, id desc);
create index messages_created_at on messages (created_at);
create index messages_due on messages (priority, next_attempt_at) where status = 'queued';
create index messages_user_id on messages (user_id, id desc) where user_id is not null;
create index messages_to on messages (lower("to"), id desc) where "to" <> '';
create index messages_secrets on messages (expires_at) where confidential and expires_at is not null;

-- Vendors' endpoints for events.
create table webhooks_out (
  id              uuid primary key,
  vendor_id       uuid not null,
  url             text not null,
  event_types     text[] not null,
  -- Sealed with NOTIFICATION_SECRET.
  secret          text not null,
  failures        integer not null default 0,
  last_success_at timestamptz,
  created_at      timestamptz not null default now()
);
create index webhooks_out_vendor_id on webhooks_out (vendor_id, id desc);

create table webhook_deliveries (
  id              uuid primary key,
  webhook_id      uuid not null references webhooks_out (id) on delete cascade,
  event_id        uuid not null,
  event_type      text not null,
  body            text not null,
  status          text not null default 'queued' check (status in ('queued', 'sent', 'failed')),
  error           text not null default '',
  attempts        integer not null default 0,
  next_attempt_at timestamptz,
  leased_until    timestamptz,
  created_at      timestamptz not null default now(),
  sent_at         timestamptz,
  unique (webhook_id, event_id)
);
create index webhook_deliveries_due on webhook_deliveries (next_attempt_at) where status = 'queued';
create index webhook_deliveries_created_at on webhook_deliveries (created_at);

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
