/** The files that a TorchServe of ours starts from: config.properties, logging and metrics. Pure. */
import type { TorchservePlan } from '../../records/server-plans/torchserve.ts';
import { loopbackHost, urlHost } from '../adapter.ts';

export interface TorchservePorts {
  readonly inference: number;
  readonly management: number;
  readonly metrics: number;
  readonly grpcInference: number;
  readonly grpcManagement: number;
}

/** Of the model's log, whose lines say why a worker ended; TorchServe itself tells no reason over HTTP. */
export const modelLogName = 'torchserve-model.log';

/**
 * One line per key. System metrics are off because their collector asks the GPU once a minute; what manages it is on
 * the loopback because token authorization is off; `host` is where inference is asked for. The plan's own keys come last, and the schema keeps them from ours.
 */
export function configProperties(
  plan: TorchservePlan,
  ports: TorchservePorts,
  paths: { readonly modelStore: string; readonly metricsConfig: string },
  gpuCount: number,
  host: string = loopbackHost,
): string {
  const lines: Record<string, string | number | boolean> = {
    inference_address: `http://${urlHost(host)}:${ports.inference}`,
    management_address: `http://${loopbackHost}:${ports.management}`,
    metrics_address: `http://${loopbackHost}:${ports.metrics}`,
    grpc_inference_port: ports.grpcInference,
    grpc_management_port: ports.grpcManagement,
    model_store: paths.modelStore,
    job_queue_size: plan.queueSize,
    default_response_timeout: plan.responseTimeout / 1e9,
    number_of_gpu: gpuCount,
    disable_system_metrics: true,
    disable_token_authorization: true,
    enable_model_api: true,
    metrics_mode: 'prometheus',
    metrics_config: paths.metricsConfig,
    async_logging: true,
    ...plan.config,
  };
  const text = Object.entries(lines).map(([key, value]) => `${key}=${escaped(String(value))}`);
  return `${text.join('\n')}\n`;
}

/** Java reads a backslash in a value as the start of an escape. */
function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

/**
 * Warnings, and what the workers say. As it comes, TorchServe writes several lines for each request and batch while it
 * is measured.
 */
export function logConfiguration(modelLogPath: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<Configuration>
  <Appenders>
    <Console name="console" target="SYSTEM_OUT">
      <PatternLayout pattern="%d{ISO8601} [%p] %t %c{1} - %m%n"/>
    </Console>
    <File name="model" fileName="${xmlText(modelLogPath)}">
      <PatternLayout pattern="%d{ISO8601} [%p] %t - %m%n"/>
    </File>
  </Appenders>
  <Loggers>
    <Logger name="ACCESS_LOG" level="off"/>
    <Logger name="TS_METRICS" level="off"/>
    <Logger name="MODEL_METRICS" level="off"/>
    <Logger name="MODEL_LOG" level="info" additivity="false">
      <RegexFilter regex="Backend received inference at: .*" onMatch="DENY" onMismatch="NEUTRAL"/>
      <AppenderRef ref="model"/>
    </Logger>
    <Logger name="io.netty" level="error"/>
    <Logger name="org.apache" level="off"/>
    <Logger name="org.pytorch.serve.wlm" level="warn"/>
    <Root level="info">
      <AppenderRef ref="console"/>
    </Root>
  </Loggers>
</Configuration>
`;
}

function xmlText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;').replaceAll('$', '$$$$');
}

/**
 * Only what is read: a count of requests, and PredictionTime as a histogram. A worker tells it once a batch, so that
 * its count is the number of batches, which TorchServe tells in no other way.
 */
export const metricsConfiguration = `dimensions:
  - &model_name "ModelName"
  - &level "Level"
ts_metrics:
  counter:
    - name: ts_inference_requests_total
      unit: Count
      dimensions: ["model_name", "model_version", "hostname"]
model_metrics:
  histogram:
    - name: PredictionTime
      unit: ms
      dimensions: [*model_name, *level]
`;
