import { run } from '@haat/kit/run'
import { loadConfig } from './config.ts'
import { startNotification } from './service.ts'

await run('notification', loadConfig, startNotification)
