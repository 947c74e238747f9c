import { run } from '@haat/kit/run'
import { loadConfig } from './config.ts'
import { startAuth } from './service.ts'

await run('auth', loadConfig, startAuth)
