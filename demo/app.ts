// The page: the camera or photographs, the faces in them, and a bar for each class.
import type { WholeImage } from "../src/data/pixels/decode.js";
import { chooseBackend, loadOn, type Timing } from "./backends.js";
import {
  type Classified,
  fetchFile,
  isForFaces,
  type ModelFiles,
  type PageClassifier,
  readModel,
} from "./classifier.js";
import type { BackendName } from "./engine.js";

const element = <E extends HTMLElement>(id: string) => document.getElementById(id) as E;
const about = element("about");
const status = element("status");
const live = element("live");
const pictures = element("pictures");
const cameraButton = element<HTMLButtonElement>("camera");
const photosInput = element<HTMLInputElement>("photos");
const modelInput = element<HTMLInputElement>("model");
const backendSelect = element<HTMLSelectElement>("backend");
const speed = element("speed");

/** Longer side of a camera's frame, in pixels: what the detector sees at once. */
const FRAME_SIDE = 512;
/** Frames over which the rate is measured. */
const RATE_FRAMES = 10;

let classifier: PageClassifier | null = null;
let camera: MediaStream | null = null;
/** The last work on the engine; the next begins after it. */
let last: Promise<unknown> = Promise.resolve();

/** What was classified last, for programs that drive the page. */
interface Latest {
  image: WholeImage;
  found: Classified[];
}
const page = { latest: null as Latest | null };
Object.assign(globalThis, { ferkit: page });

/** Runs a task after those before it; a failure is shown. */
function afterwards<T>(task: () => Promise<T>): Promise<T | undefined> {
  const result = last.then(task).catch((error: Error) => {
    status.textContent = error.message;
    return undefined;
  });
  last = result;
  return result;
}

async function useModel(model: ModelFiles): Promise<void> {
  setEnabled(false);
  const earlier = classifier;
  classifier = null;
  earlier?.dispose();
  const { classNames, imageSize } = model.config;
  about.textContent = `${model.name}: ${classNames.length} classes, ${imageSize} × ${imageSize} pixels${
    isForFaces(model.config) ? ", for faces" : ""
  }`;
  const wanted = new URLSearchParams(location.search).get("backend") as BackendName | null;
  classifier = wanted ? await useWanted(wanted, model) : await useFastest(model);
  status.textContent = "Ready.";
  setEnabled(true);
}

/** Uses the engine that the page's address names, as in `?backend=webgl`, without measuring it. */
async function useWanted(backend: BackendName, model: ModelFiles): Promise<PageClassifier> {
  status.textContent = `Loading the model on ${backend}…`;
  const loaded = await loadOn(backend, model);
  backendSelect.replaceChildren(new Option(`tfjs ${backend}`, backend));
  speed.textContent = "named in the page's address";
  return loaded;
}

async function useFastest(model: ModelFiles): Promise<PageClassifier> {
  status.textContent = "Measuring which engine is the fastest here…";
  const { timings, classifier: fastest } = await chooseBackend(model, ({ backend, durationMs }) => {
    status.textContent = `Measuring: ${backend} ${durationMs === null ? "is not available" : `${durationMs.toFixed(0)} ms`}…`;
  });
  showBackends(timings);
  return fastest;
}

function showBackends(timings: Timing[]): void {
  const available = timings.filter(({ durationMs }) => durationMs !== null);
  const fastest = Math.min(...available.map(({ durationMs }) => durationMs as number));
  backendSelect.replaceChildren(
    ...available.map(({ backend, durationMs }) => {
      const rate = 1000 / (durationMs as number);
      const option = new Option(`tfjs ${backend}, ${rate.toFixed(1)} frames/s`, backend);
      option.selected = durationMs === fastest;
      return option;
    }),
  );
  speed.textContent = available.length > 1 ? "the fastest here" : "the only engine here";
}

function setEnabled(isEnabled: boolean): void {
  for (const control of [cameraButton, photosInput, modelInput, backendSelect]) control.disabled = !isEnabled;
}

backendSelect.addEventListener("change", () =>
  afterwards(async () => {
    const model = (classifier as PageClassifier).model;
    classifier?.dispose();
    classifier = await loadOn(backendSelect.value as BackendName, model);
    speed.textContent = "chosen";
  }),
);

// Photographs and models, chosen or dropped.

for (const input of [photosInput, modelInput])
  input.addEventListener("change", () => {
    const files = [...(input.files ?? [])];
    input.value = ""; // so that the same file can be chosen again
    addFiles(files);
  });
addEventListener("dragover", (event) => {
  event.preventDefault();
  pictures.classList.add("over");
});
addEventListener("dragleave", () => pictures.classList.remove("over"));
addEventListener("drop", async (event) => {
  event.preventDefault();
  pictures.classList.remove("over");
  const entries = [...(event.dataTransfer?.items ?? [])].map((item) => item.webkitGetAsEntry());
  addFiles((await Promise.all(entries.map(filesOf))).flat());
});

/** Lists the files of a dropped file or folder. */
async function filesOf(entry: FileSystemEntry | null): Promise<File[]> {
  if (!entry) return [];
  if (entry.isFile)
    return [await new Promise<File>((done, fail) => (entry as FileSystemFileEntry).file(done, fail))];
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const files: File[] = [];
  for (;;) {
    // a reader gives at most 100 entries at once
    const entries = await new Promise<FileSystemEntry[]>((done, fail) => reader.readEntries(done, fail));
    if (entries.length === 0) return files;
    files.push(...(await Promise.all(entries.map(filesOf))).flat());
  }
}

function addFiles(files: File[]): void {
  const model = files.find(({ name }) => name === "model.json");
  if (model) {
    const folder = model.webkitRelativePath.split("/").at(-2);
    afterwards(async () => {
      const read = async (name: string) => {
        const file = files.find((one) => one.name === name);
        if (!file)
          throw new Error(`Expected ${name} beside model.json but found no such file. Choose all files.`);
        return file.arrayBuffer();
      };
      await useModel(await readModel(folder ?? "your model", read));
    });
    return;
  }
  for (const file of files) afterwards(() => classifyFile(file));
}

async function classifyFile(file: File): Promise<void> {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Error(`Expected an image but ${file.name} cannot be read.`);
  });
  const image = pixelsOf(bitmap, bitmap.width, bitmap.height);
  const card = document.createElement("article");
  card.className = "picture";
  const canvas = document.createElement("canvas");
  const results = document.createElement("div");
  results.className = "results";
  card.append(canvas, results);
  element("hint").after(card);
  await classify(image, bitmap, canvas, results, file.name);
  bitmap.close();
}

// The camera.

cameraButton.addEventListener("click", async () => {
  if (camera) {
    for (const track of camera.getTracks()) track.stop();
    camera = null;
    live.hidden = true;
    cameraButton.textContent = "Start the camera";
    return;
  }
  try {
    camera = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user" } });
  } catch (error) {
    status.textContent = `The camera cannot be used: ${(error as Error).message}`;
    return;
  }
  cameraButton.textContent = "Stop the camera";
  status.textContent = "";
  live.hidden = false;
  await watch(camera);
});

async function watch(stream: MediaStream): Promise<void> {
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  video.srcObject = stream;
  await video.play();
  const canvas = live.querySelector("canvas") as HTMLCanvasElement;
  const results = live.querySelector(".results") as HTMLElement;
  const times: number[] = [];
  while (camera === stream) {
    const scale = Math.min(1, FRAME_SIDE / Math.max(video.videoWidth, video.videoHeight));
    const [width, height] = [video.videoWidth, video.videoHeight].map((side) => Math.round(side * scale));
    await afterwards(() => classify(pixelsOf(video, width, height), null, canvas, results, "Camera"));
    times.push(performance.now());
    if (times.length > RATE_FRAMES) times.shift();
    const rate = (1000 * (times.length - 1)) / (times[times.length - 1] - times[0]);
    if (times.length > 1) speed.textContent = `${rate.toFixed(1)} frames/s with the camera`;
    await new Promise(requestAnimationFrame);
  }
}

// Pixels in, boxes and bars out.

/** Returns the pixels of a picture, on white where it is transparent. */
function pixelsOf(source: CanvasImageSource, width: number, height: number): WholeImage {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("This browser gives no access to pixels.");
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(source, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const pixels = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; from < data.length; from += 4) {
    pixels[to++] = data[from];
    pixels[to++] = data[from + 1];
    pixels[to++] = data[from + 2];
  }
  return { pixels, width, height } as unknown as WholeImage; // Node.js has it in a Buffer, which is a Uint8Array
}

/** @param bitmap - The picture to draw; null: draw the pixels. */
async function classify(
  image: WholeImage,
  bitmap: ImageBitmap | null,
  canvas: HTMLCanvasElement,
  results: HTMLElement,
  title: string,
): Promise<void> {
  if (!classifier) return;
  const found = await classifier.classify(image);
  draw(canvas, bitmap ?? (await createImageBitmap(rgba(image))), found);
  const { classNames } = classifier.model.config;
  const isSearched = isForFaces(classifier.model.config);
  results.replaceChildren(
    ...found.map(({ face, probs }, i) => {
      const heading = face
        ? `${title}, face ${i + 1}`
        : isSearched
          ? `${title}: no face found; as a whole`
          : title;
      return bars(heading, classNames, probs);
    }),
  );
  page.latest = { image, found };
}

function rgba({ pixels, width, height }: WholeImage): ImageData {
  const image = new ImageData(width, height);
  for (let from = 0, to = 0; from < pixels.length; to += 4) {
    for (let c = 0; c < 3; c++) image.data[to + c] = pixels[from++];
    image.data[to + 3] = 255;
  }
  return image;
}

function draw(canvas: HTMLCanvasElement, picture: ImageBitmap, found: Classified[]): void {
  canvas.width = picture.width;
  canvas.height = picture.height;
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  context.drawImage(picture, 0, 0);
  const unit = Math.max(picture.width, picture.height) / 200;
  context.lineWidth = unit;
  context.font = `bold ${8 * unit}px system-ui, sans-serif`;
  found.forEach(({ face }, i) => {
    if (!face) return;
    const { left, top, width, height } = face.box;
    context.strokeStyle = context.fillStyle = "#ffb454";
    context.strokeRect(left, top, width, height);
    context.fillRect(left, top, 8 * unit, 10 * unit);
    context.fillStyle = "#1c2024";
    context.fillText(String(i + 1), left + 1.5 * unit, top + 8 * unit);
  });
}

/** Builds a bar for each class, the most probable first. */
function bars(heading: string, classNames: string[], probs: Float32Array): HTMLElement {
  const group = document.createElement("div");
  const title = document.createElement("h2");
  title.textContent = heading;
  const ranked = classNames.map((name, i) => ({ name, prob: probs[i] })).sort((a, b) => b.prob - a.prob);
  group.append(
    title,
    ...ranked.slice(0, 10).map(({ name, prob }) => {
      const [row, label, track, fill, share] = ["div", "span", "div", "div", "span"].map((tag) =>
        document.createElement(tag),
      );
      row.className = "bar";
      track.className = "track";
      fill.style.width = `${100 * prob}%`;
      label.textContent = label.title = name;
      share.textContent = `${(100 * prob).toFixed(1)}%`;
      track.append(fill);
      row.append(label, track, share);
      return row;
    }),
  );
  return group;
}

/** Set when the page is built. */
declare const MODEL_NAME: string;

afterwards(async () =>
  useModel(await readModel(MODEL_NAME, async (file) => (await fetchFile(`model/${file}`)).arrayBuffer())),
);
