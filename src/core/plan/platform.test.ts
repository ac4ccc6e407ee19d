import { describe, expect, test } from 'vitest'
import { findPlatform } from './platform.ts'
import type { Machine } from './platform.ts'

const linux: Machine = { os: 'linux', arch: 'x64' }
const arm: Machine = { os: 'linux', arch: 'arm64' }
const mac: Machine = { os: 'darwin', arch: 'arm64' }
const gpu = { platforms: { gpu: 'host' }, machine: linux }
const images = {
  platforms: { 'ubuntu-latest': 'docker:debian:12', 'windows-*': 'docker:wine', Linux: 'host' },
  machine: linux,
}

const host = { kind: 'host' }
const unknown = (...labels: readonly string[]) => ({ kind: 'unknown', labels })
const docker = (image: string) => ({ kind: 'docker', image })

describe('a label of runs-on', () => {
  test.each([
    [['ubuntu-latest'], { platforms: {}, machine: linux }, host],
    [['ubuntu-22.04'], { platforms: {}, machine: linux }, host],
    [['Ubuntu-Latest'], { platforms: {}, machine: linux }, host],
    [['self-hosted', 'linux', 'X64'], { platforms: {}, machine: linux }, host],
    [[], { platforms: {}, machine: linux }, host],
    [['ubuntu-24.04-arm'], { platforms: {}, machine: arm }, host],
    [['macos-latest'], { platforms: {}, machine: mac }, host],
    [['ubuntu-24.04-arm'], { platforms: {}, machine: linux }, unknown('ubuntu-24.04-arm')],
    [['ubuntu-latest'], { platforms: {}, machine: mac }, unknown('ubuntu-latest')],
    [['windows-latest'], { platforms: {}, machine: linux }, unknown('windows-latest')],
    [['self-hosted', 'gpu'], { platforms: {}, machine: linux }, unknown('gpu')],
    [['self-hosted', 'arm64'], { platforms: {}, machine: linux }, unknown('arm64')],
    [['group:big', 'linux'], { platforms: {}, machine: linux }, unknown('group:big')],
    [['ubuntuXlatest'], { platforms: {}, machine: linux }, unknown('ubuntuXlatest')],
    [['self-hosted', 'gpu'], gpu, host],
    [['ubuntu-latest'], images, docker('debian:12')],
    [['windows-2022'], images, docker('wine')],
    [['linux', 'ubuntu-latest'], images, host],
    [['self-hosted', 'ubuntu-latest'], images, docker('debian:12')],
    [['ubuntu-latest', 'gpu'], images, unknown('gpu')],
  ] as const)('%j with %j leads to %j', (labels, rules, result) => {
    expect(findPlatform(labels, rules)).toEqual(result)
  })
})
