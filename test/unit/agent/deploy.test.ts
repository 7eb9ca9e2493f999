/** What is deployed: manifests, unit, dashboard and the pages that explain them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { parseConfiguration } from '../../../lib/agent/configuration.ts';
import { metricFamilies } from '../../../lib/agent/metrics/exposition.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const page = read('docs/GRAFANA.md');
const counts = { refused: new Map<string, number>(), streams: 0, droppedSamples: 0 };
const families = metricFamilies({ version: '1', nodeVersion: '20', counts });

describe('the metrics', () => {
  it('are all explained, in their own words', () => {
    for (const { name, type, help } of families) {
      assert.ok(page.includes(`| \`${name}\` | ${type} |`), `docs/GRAFANA.md lacks ${name}`);
      assert.ok(page.includes(help), `docs/GRAFANA.md words ${name} otherwise`);
    }
  });

  it('have names by the conventions of Prometheus: counters end in _total, nothing else does', () => {
    for (const { name, type } of families) {
      assert.match(name, /^mpsbench_[a-z_]+$/);
      assert.equal(name.endsWith('_total'), type === 'counter', name);
      assert.doesNotMatch(name, /percent|milli|mega|mhz|kib|mib/i);
    }
  });

  it('are the only ones that the dashboard asks for, and every panel is explained', () => {
    const known = new Set(families.map(({ name }) => name));
    for (const { title, targets = [] } of JSON.parse(read('deploy/grafana/mpsbench.json')).panels) {
      assert.ok(page.includes(title), `docs/GRAFANA.md lacks the panel '${title}'`);
      for (const { expr } of targets) {
        for (const [name] of expr.matchAll(/mpsbench_[a-z_]+/g)) assert.ok(known.has(name), `${title}: ${name}`);
      }
    }
  });
});

describe('the manifests for Kubernetes', () => {
  const folder = join(root, 'deploy/kubernetes');
  const manifest = (name: string) => parse(read(`deploy/kubernetes/${name}`));
  const pod = manifest('daemonset.yaml').spec.template;

  it('are all named by the kustomization', () => {
    const { resources, configMapGenerator } = manifest('kustomization.yaml');
    const named = [...resources, ...configMapGenerator[0].files, 'kustomization.yaml'];
    // Load workers are a Job of their own, applied by itself.
    const ofAgent = readdirSync(folder).filter((name) => name !== 'load-workers.yaml');
    assert.deepEqual(ofAgent.sort(), named.sort());
  });

  it('give the agent the PIDs, the pipe directory and the shared memory of the node', () => {
    assert.equal(pod.spec.hostPID, true);
    const { volumes, containers } = pod.spec;
    const hostPaths = volumes.flatMap((volume: { hostPath?: { path: string } }) => volume.hostPath?.path ?? []);
    assert.deepEqual(hostPaths, ['/tmp/nvidia-mps', '/dev/shm']);
    const mounts = containers[0].volumeMounts.map(({ name }: { name: string }) => name).sort();
    assert.deepEqual(mounts, volumes.map(({ name }: { name: string }) => name).sort());
    assert.match(JSON.stringify(containers[0].env), /compute,utility/);
  });

  it('run it without privilege, with secrets that only its user may read', () => {
    const { securityContext } = pod.spec.containers[0];
    assert.deepEqual(securityContext.capabilities, { drop: ['ALL'], add: ['SYS_PTRACE', 'DAC_READ_SEARCH'] });
    assert.deepEqual([securityContext.allowPrivilegeEscalation, securityContext.readOnlyRootFilesystem], [false, true]);
    const secret = pod.spec.volumes.find(({ name }: { name: string }) => name === 'secret');
    assert.equal(secret.secret.defaultMode, 0o400);
  });

  it('lead service and network policy to its pods and its port', () => {
    const labels = pod.metadata.labels;
    const service = manifest('service.yaml').spec;
    const policy = manifest('network-policy.yaml').spec;
    assert.deepEqual([service.selector, policy.podSelector.matchLabels], [labels, labels]);
    const { port } = parseConfiguration(read('deploy/kubernetes/agent.yaml'), 'agent.yaml').listen;
    assert.deepEqual([pod.spec.containers[0].ports[0].containerPort, service.ports[0].port], [port, port]);
  });
});

describe('the example of a configuration', () => {
  it('can be read, and needs nothing more beyond loopback', () => {
    const { listen, tls, tokenFile } = parseConfiguration(read('deploy/agent.yaml'), 'agent.yaml');
    assert.equal(listen.host, '0.0.0.0');
    assert.ok(tls && tokenFile);
  });
});

describe('the unit for systemd', () => {
  const unit = read('deploy/systemd/mpsbench-agent.service');

  it('keeps what the driver and MPS need in sight, and takes the status of SIGTERM for success', () => {
    assert.doesNotMatch(unit, /^(PrivateDevices|PrivateTmp|ProtectProc|PrivateUsers|MemoryDenyWriteExecute)=/m);
    for (const line of ['SuccessExitStatus=130', 'NoNewPrivileges=yes', 'ProtectSystem=strict']) {
      assert.ok(unit.includes(`\n${line}\n`), line);
    }
    assert.match(unit, /^ExecReload=\/bin\/kill -HUP \$MAINPID$/m);
  });

  it('holds no key that systemd does not know, where systemd is here to ask', () => {
    if (!existsSync('/usr/bin/systemd-analyze')) return;
    const folder = mkdtempSync(join(tmpdir(), 'mpsbench-unit-'));
    try {
      const path = join(folder, 'mpsbench-agent.service');
      writeFileSync(path, unit);
      const said = spawnSync('systemd-analyze', ['verify', '--man=no', path], { encoding: 'utf8' });
      assert.doesNotMatch(said.stderr, /mpsbench-agent\.service/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
