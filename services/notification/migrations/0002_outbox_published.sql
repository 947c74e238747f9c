-- Events the broker has confirmed, for three days: what it loses before they are handled, or what a consumer's restored database
-- has not seen yet, is published again from here (REPLAY_EVENTS_SINCE).
create table outbox_published (
  id bigint primary key,
  envelope jsonb not null,
  published_at timestamptz not null default now()
);
create index outbox_published_published_at on outbox_published (published_at);
