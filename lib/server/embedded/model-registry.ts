/** The models of one server by name. All run the server's one workload; there is one version of each. */
import { badRequest, HttpProblem, modelNotFound, versionNotFound } from './http-reply.ts';
import { type ModelOptions, ServedModel } from './served-model.ts';

export const modelVersion = '1.0';

const namePattern = /^[A-Za-z0-9][A-Za-z0-9_\-.]*$/;
// TorchServe names a worker after its port; the first is 9000.
const firstWorkerId = 9000;

export type ModelDefaults = Pick<ModelOptions, 'workload' | 'queueLimit' | 'log'>;

export class ModelRegistry {
  readonly #defaults: ModelDefaults;
  readonly #models = new Map<string, ServedModel>();
  #nextWorkerId = firstWorkerId;

  constructor(defaults: ModelDefaults) {
    this.#defaults = defaults;
  }

  get workload(): ModelOptions['workload'] {
    return this.#defaults.workload;
  }

  get models(): readonly ServedModel[] {
    return [...this.#models.values()];
  }

  /** Throws ModelNotFoundException or, for a version other than 1.0, ModelVersionNotFoundException. */
  find(name: string, version: string | undefined): ServedModel {
    const model = this.#models.get(name);
    if (model === undefined) throw modelNotFound(name);
    if (version !== undefined && version !== '' && version !== modelVersion) throw versionNotFound(name, version);
    return model;
  }

  /** Without workers as yet. Throws 400 for a name that is none and 409 for one that is taken. */
  register(options: Pick<ModelOptions, 'name' | 'url' | 'batchSize' | 'maxBatchDelayNs'>): ServedModel {
    const { name } = options;
    if (!namePattern.test(name)) {
      throw badRequest(`model_name '${name}' must start with a letter or digit and go on with those, '_', '-' or '.'.`);
    }
    if (this.#models.has(name)) {
      const message = `Model version ${modelVersion} is already registered for model ${name}`;
      throw new HttpProblem(409, 'ConflictStatusException', message);
    }
    const nextWorkerId = () => String(this.#nextWorkerId++);
    const model = new ServedModel({ ...this.#defaults, ...options, nextWorkerId });
    this.#models.set(name, model);
    return model;
  }

  /** New requests are turned away at once; those accepted are served. */
  async unregister(model: ServedModel): Promise<void> {
    this.#models.delete(model.options.name);
    await model.retire();
  }

  /** Stops all workers and cuts their batches short. */
  async stop(): Promise<void> {
    await Promise.all(this.models.map((model) => model.stop()));
  }

  kill(): void {
    for (const model of this.#models.values()) model.kill();
  }
}
