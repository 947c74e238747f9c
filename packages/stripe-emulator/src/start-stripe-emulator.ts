import { createAdmin } from './console/admin.ts'
import { type Controls, createControls } from './console/controls.ts'
import { createPayPage } from './console/pay-page.ts'
import type { Context } from './context.ts'
import { createApi } from './http/api.ts'
import { createApiFaults } from './http/api-faults.ts'
import { listen } from './http/server.ts'
import { addEndpoint, dropConfiguredEndpoints } from './resources/webhook-endpoints.ts'
import { type EmulatorOptions, settingsFrom } from './settings.ts'
import { openStateFile } from './store/state-file.ts'
import { createStore } from './store/store.ts'
import { createDispatcher } from './webhooks/dispatcher.ts'
import { createWebhookFaults } from './webhooks/webhook-faults.ts'

export type StripeEmulator = Controls & {
  url: string
  host: string
  port: number
  secretKey: string
  publishableKey: string
  close: () => Promise<void>
}

export async function startStripeEmulator(options: EmulatorOptions = {}): Promise<StripeEmulator> {
  const settings = settingsFrom(options)
  const store = createStore()
  const stateFile = openStateFile(store, settings.stateFile)
  const nowSeconds = () => Math.floor(Date.now() / 1000)
  const apiFaults = createApiFaults()
  const webhookFaults = createWebhookFaults()
  const dispatcher = createDispatcher({ store, settings, faults: webhookFaults, nowSeconds, save: stateFile.save })

  let url = ''
  const ctx: Context = { settings, store, nowSeconds, baseUrl: () => url, deliver: dispatcher.deliver }
  dropConfiguredEndpoints(ctx)
  for (const target of settings.webhook) addEndpoint(ctx, target)

  const api = createApi({ ctx, faults: apiFaults, save: stateFile.save })
  const controls = createControls({ ctx, apiFaults, webhookFaults, dispatcher })
  const server = await listen(settings.host, settings.port, {
    '/': api.handle,
    '/_emulator/': createAdmin(controls, stateFile.save),
    '/_emulator/pay/': createPayPage({ ctx, api, controls, save: stateFile.save }),
  })
  url = `http://${server.host}:${server.port}`
  dispatcher.resumeStored()

  return {
    ...controls,
    url,
    host: server.host,
    port: server.port,
    secretKey: settings.secretKey,
    publishableKey: settings.publishableKey,
    close: async () => {
      apiFaults.clear()
      await dispatcher.close()
      await server.close()
      await stateFile.save()
    },
  }
}
