import type { Outgoing } from './provider.ts'

/** Headers every mail carries: it is automatic, and how to stop it (RFC 2369, one click by RFC 8058). */
export function mailHeaders({ unsubscribe }: Outgoing): Record<string, string> {
  return {
    'Auto-Submitted': 'auto-generated',
    ...(unsubscribe && { 'List-Unsubscribe': `<${unsubscribe.postUrl ?? unsubscribe.url}>` }),
    ...(unsubscribe?.postUrl && { 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' }),
  }
}

/** "Haat <no-reply@haat.example>" in its parts. */
export function parseFrom(from: string): { name: string; email: string; domain: string } {
  const match = /^\s*"?(.*?)"?\s*<([^<>]+)>\s*$/.exec(from)
  const email = (match?.[2] ?? from).trim()
  return { name: match?.[1] ?? '', email, domain: email.split('@')[1] ?? 'localhost' }
}

/** The same for every attempt, so that a mailbox which gets a repeat can tell. */
export const messageIdOf = (message: Outgoing, from: string): string => `<${message.id}@${parseFrom(from).domain}>`
