import { execFile } from 'node:child_process'
import { accessSync, constants, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, delimiter, join } from 'node:path'
import { promisify, stripVTControlCharacters } from 'node:util'

const execFileAsync = promisify(execFile)

export const isRoot = process.getuid?.() === 0

/** Runs to completion and gives stdout; a failure carries the last lines of the output. */
export async function run(
  command: string,
  args: string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; timeoutMs?: number; uid?: number; gid?: number } = {},
): Promise<string> {
  const { timeoutMs = 600_000, env, ...rest } = options
  try {
    const { stdout } = await execFileAsync(command, args, {
      ...rest,
      env: { ...process.env, ...env },
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      maxBuffer: 64 << 20,
    })
    return stdout
  } catch (error) {
    const {
      stderr = '',
      stdout = '',
      message,
      killed,
    } = error as Error & { stderr?: string; stdout?: string; killed?: boolean }
    const name = basename(command)
    if (killed) throw new Error(`${name}: not done within ${timeoutMs / 1000} s`)
    const lines = stripVTControlCharacters(`${stdout}\n${stderr}`)
      .split('\n')
      .filter((line) => line.trim() !== '')
    throw new Error(`${name}: ${lines.slice(-6).join('\n') || message}`)
  }
}

export const succeeds = (command: string, args: string[], options: Parameters<typeof run>[2] = {}): Promise<boolean> =>
  run(command, args, options).then(
    () => true,
    () => false,
  )

/** The first executable of this name in PATH or in the folders given before it. */
export function which(name: string, ...foldersFirst: string[]): string | undefined {
  for (const folder of [...foldersFirst, ...(process.env.PATH ?? '').split(delimiter)]) {
    if (folder !== '' && isExecutable(join(folder, name))) return join(folder, name)
  }
  return undefined
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Where downloaded programs live: the user's cache, so that a second clone is quick, or `dataDir` if that is not writable. */
export function toolsDir(dataDir: string): string {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'haat', 'stores')
  try {
    mkdirSync(cache, { recursive: true })
    accessSync(cache, constants.W_OK)
    return cache
  } catch {
    const own = join(dataDir, 'tools')
    mkdirSync(own, { recursive: true })
    return own
  }
}
