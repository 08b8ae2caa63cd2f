// The finished beginning of a film that is being made. The player (hls.js) is fetched only when there is something to play.
import { h } from "/web/dom.js";

let library = null;

const loaded = () => (library ??= new Promise((resolve, reject) => {
  const script = h("script", { src: "/web/hls.light.min.js" });
  script.addEventListener("load", () => resolve(window.Hls));
  script.addEventListener("error", reject);
  document.head.append(script);
}));

/** A player of the playlist at `address`, which grows; `end()` stops it. */
export function preview(address) {
  const video = h("video", { controls: true, muted: false, playsinline: true, preload: "auto" });
  const words = h("p", { class: "hint" });
  let player = null;
  let ended = false;
  const begin = async () => {
    const Hls = await loaded().catch(() => null);
    if (ended) return;
    if (Hls?.isSupported()) {
      player = new Hls({ enableWorker: false, startPosition: 0, backBufferLength: 60 });
      player.on(Hls.Events.ERROR, (_, error) => error.fatal && error.type === Hls.ErrorTypes.NETWORK_ERROR && setTimeout(() => player?.startLoad(), 2000));
      player.loadSource(address);
      player.attachMedia(video);
    } else {
      video.src = address;
    }
  };
  begin();
  return {
    element: h("div", {}, video, words),
    video,
    tell: (seconds, total) => {
      words.textContent = `Preview: the first ${Math.floor(seconds)} of ${Math.round(total)} seconds. The film is not verified yet.`;
    },
    end: () => {
      ended = true;
      player?.destroy();
      player = null;
    },
  };
}
