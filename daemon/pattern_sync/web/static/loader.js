const PAUSE_SECONDS = 2;
const RETRY_SECONDS = 5;

/** Loads the view page by page into the store: one load at a time, and one more when it was asked for meanwhile. */
export class Loader {
  #api;
  #store;
  #report;
  #running = null;
  #again = false;
  #timer = null;
  #startedAt = -Infinity;

  /** `report` has progressed(), finished(appeared ids) and failed(fault, retries). */
  constructor({ api, store, report }) {
    this.#api = api;
    this.#store = store;
    this.#report = report;
  }

  get busy() {
    return this.#running !== null;
  }

  /** Forget what is shown and load another view. */
  show(view) {
    this.#running?.abort();
    this.#running = null;
    this.#again = false;
    this.#store.reset(view);
    this.#start();
  }

  /** Load the view once more; the old content stays until the new one is complete. */
  reload() {
    if (this.#running) this.#again = true;
    else this.#startIn(this.#startedAt + PAUSE_SECONDS * 1000 - performance.now());
  }

  /** The same at once: a person has asked for it. */
  retry() {
    if (!this.#running) this.#start();
  }

  #startIn(milliseconds) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#start(), Math.max(0, milliseconds));
  }

  async #start() {
    clearTimeout(this.#timer);
    const control = new AbortController();
    this.#running = control;
    this.#startedAt = performance.now();
    let fault = null;
    try {
      await this.#loadPages(control.signal);
    } catch (caught) {
      fault = caught;
    }
    if (control !== this.#running) return;
    this.#running = null;
    this.#conclude(fault);
  }

  async #loadPages(signal) {
    this.#store.beginLoad();
    this.#report.progressed();
    let path = this.#api.firstPage(this.#store.view);
    while (path) {
      const { entries, next } = await this.#api.page(path, signal);
      if (signal.aborted) return;
      this.#store.addPage(entries);
      this.#report.progressed();
      path = next;
    }
  }

  #conclude(fault) {
    const again = this.#again;
    this.#again = false;
    if (fault) {
      this.#store.abandonLoad();
      // A refusal does not go away by asking again.
      const retries = again || fault.status === 0 || fault.status >= 500;
      if (retries) this.#startIn(RETRY_SECONDS * 1000);
      this.#report.failed(fault, retries);
      return;
    }
    this.#report.finished(this.#store.finishLoad());
    if (again) this.reload();
  }
}
