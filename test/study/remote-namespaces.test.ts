/** A remote study over a network: agent and driver in two network namespaces, with nothing shared but a link. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { makeCertificate, noOpenssl } from '../fakes/certificate.ts';
import { assertDone, RemoteStage, shortPlan } from './remote-stage.ts';
import { skipStage } from './study-stage.ts';

const unshare = ['unshare', '--map-root-user', '--mount', '--net'] as const;

/** Laid out within namespaces of their own: the driver in the outer one, the agent in the inner. */
const setUp = `
set -e
mount -t tmpfs none /run
ip link set lo up
ip netns add gpu
ip link add driver type veth peer name agent netns gpu
ip addr add 10.99.0.1/24 dev driver
ip link set driver up
ip -n gpu addr add 10.99.0.2/24 dev agent
ip -n gpu link set agent up
ip -n gpu link set lo up
`;

function namespacesAreMissing(): string | false {
  const [program = '', ...options] = unshare;
  const made = spawnSync(program, [...options, 'sh', '-c', setUp], { encoding: 'utf8' });
  return made.status === 0 ? false : `network namespaces need root here: ${(made.stderr || '').trim().slice(0, 200)}`;
}

describe('a remote study over a network', { skip: skipStage || noOpenssl || namespacesAreMissing() }, () => {
  it('loads the server at the address that the agent gives it, behind TLS and a token', async () => {
    using stage = new RemoteStage();
    using certificate = makeCertificate('IP:10.99.0.2');
    const file = (name: string, text: string): string => {
      const path = join(stage.root, name);
      writeFileSync(path, text, { mode: 0o600 });
      return path;
    };
    const [cert, key] = [file('cert.pem', certificate.cert), file('key.pem', certificate.key)];
    const token = file('token', `${'n'.repeat(48)}\n`);
    file('plan.yaml', shortPlan);
    const configuration = file(
      'agent.yaml',
      [
        'listen: {host: 10.99.0.2, port: 9477}',
        `tls: {certificateFile: ${cert}, keyFile: ${key}}`,
        `tokenFile: ${token}`,
        'plans: {short: plan.yaml}',
        `studies: {directory: ${stage.studies}, loadAddress: 10.99.0.2}`,
      ].join('\n'),
    );
    // The first two words are node and mpsbench; all of them are the driver.
    const script = file(
      'script',
      `${setUp}
ip netns exec gpu "$1" "$2" agent --config ${configuration} &
agent=$!
status=0
"$@" || status=$?
kill $agent
wait $agent || true
exit $status
`,
    );
    const { status, stderr } = await stage.start(
      [
        ...['study', 'short', '--agent', 'https://10.99.0.2:9477', '--out', stage.out],
        ...['--agent-ca', cert, '--agent-token-file', token],
      ],
      {},
      [...unshare, 'sh', script],
    ).result;
    assertDone(status, stderr);
    const trials = stage.trials();
    assert.equal(trials.length, 2);
    for (const { load } of trials) assert.ok(load && load.measurement.outcomes.ok > 0);
    await stage.untilNothingRuns();
  });
});
