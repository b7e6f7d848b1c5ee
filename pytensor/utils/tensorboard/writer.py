"""``SummaryWriter``: what a training run has to say, in files that TensorBoard shows."""

from __future__ import annotations

import datetime
import os
import socket
import time
from collections.abc import Mapping
from typing import Any

from pytensor.utils.tensorboard import _embedding, _graph, _summaries, _wire
from pytensor.utils.tensorboard._images import as_tensor, figure_pixels
from pytensor.utils.tensorboard._records import EventFile

__all__ = ["SummaryWriter"]


class SummaryWriter:
    """Writes events for TensorBoard: numbers, histograms, pictures, texts, graphs.

    The files need no other package to be written; the ``tensorboard`` program shows them.

    Args:
        log_dir: where to. Default: ``runs/`` with the time, the machine's name and the comment.
        comment: put at the end of the default directory's name.
        purge_step: steps from here on of an earlier run are not shown.
        max_queue: accepted for compatibility; events are written at once, into the file's buffer.
        flush_secs: how long events may wait in memory.
        filename_suffix: put at the end of files' names.

    Example::

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with pytensor.utils.tensorboard.SummaryWriter(folder) as writer:
        ...         for step in range(3):
        ...             writer.add_scalar("loss", 1 / (step + 1), step)
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str] | None = None,
        comment: str = "",
        purge_step: int | None = None,
        max_queue: int = 10,
        flush_secs: float = 120,
        filename_suffix: str = "",
    ) -> None:
        if not log_dir:
            now = datetime.datetime.now().strftime("%b%d_%H-%M-%S")
            log_dir = os.path.join("runs", f"{now}_{socket.gethostname()}{comment}")
        self.log_dir = os.fspath(log_dir)
        self.purge_step = purge_step
        self.max_queue = max_queue
        self.flush_secs = flush_secs
        self.filename_suffix = filename_suffix
        self._files: dict[str, EventFile] = {}
        self._open()

    def _open(self, directory: str | None = None) -> EventFile:
        """The file of a directory; a new one, if there is none or it was closed."""
        directory = self.log_dir if directory is None else directory
        file = self._files.get(directory)
        if file is None:
            file = EventFile(directory, self.filename_suffix, self.flush_secs)
            self._files[directory] = file
            if self.purge_step is not None and directory == self.log_dir:
                # the start of a session: TensorBoard drops later steps of the files before
                file.write(_wire.chunk(7, _wire.integer(1, 1)), self.purge_step)
        return file

    def get_logdir(self) -> str:
        """The directory."""
        return self.log_dir

    def add_scalar(
        self,
        tag: str,
        scalar_value: Any,
        global_step: int | None = None,
        walltime: float | None = None,
        new_style: bool = False,
        double_precision: bool = False,
    ) -> None:
        """Adds a number to a curve.

        Args:
            tag: the name of the curve.
            scalar_value: a number, or a tensor of one element.
            global_step: where on the curve.
            walltime: seconds since 1970. Default: now.
            new_style: write a tensor, as newer versions of TensorBoard prefer.
            double_precision: accepted for compatibility; the format holds floats.
        """
        content = _summaries.scalar(tag, scalar_value, new_style)
        self._open().write(content, global_step, walltime)

    def add_scalars(
        self,
        main_tag: str,
        tag_scalar_dict: Mapping[str, Any],
        global_step: int | None = None,
        walltime: float | None = None,
    ) -> None:
        """Adds numbers to several curves of one picture; each curve gets a directory.

        Args:
            main_tag: the name of the picture.
            tag_scalar_dict: numbers by the names of their curves.
            global_step: where on the curves.
            walltime: seconds since 1970. Default: now.
        """
        walltime = time.time() if walltime is None else walltime
        for tag, value in tag_scalar_dict.items():
            directory = f"{self.log_dir}/{main_tag.replace('/', '_')}_{tag}"
            content = _summaries.scalar(main_tag, value)
            self._open(directory).write(content, global_step, walltime)

    def add_histogram(
        self,
        tag: str,
        values: Any,
        global_step: int | None = None,
        bins: Any = "tensorflow",
        walltime: float | None = None,
        max_bins: int | None = None,
    ) -> None:
        """Adds a histogram.

        Args:
            tag: its name.
            values: a tensor or array.
            global_step: the step.
            bins: "tensorflow" (exponential), a rule of numpy's ("auto", "fd", ...), or edges.
            walltime: seconds since 1970. Default: now.
            max_bins: bins are joined above this number.

        Raises:
            ValueError: if there are no values.
        """
        content = _summaries.histogram(tag, values, bins, max_bins)
        self._open().write(content, global_step, walltime)

    def add_image(
        self,
        tag: str,
        img_tensor: Any,
        global_step: int | None = None,
        walltime: float | None = None,
        dataformats: str = "CHW",
    ) -> None:
        """Adds a picture.

        Args:
            tag: its name.
            img_tensor: uint8, or numbers of [0, 1].
            global_step: the step.
            walltime: seconds since 1970. Default: now.
            dataformats: the order of dimensions: CHW, HWC, HW, or with N for several in a grid.

        Raises:
            ValueError: if the dimensions do not fit the letters.
        """
        content = _summaries.image(tag, img_tensor, dataformats)
        self._open().write(content, global_step, walltime)

    def add_images(
        self,
        tag: str,
        img_tensor: Any,
        global_step: int | None = None,
        walltime: float | None = None,
        dataformats: str = "NCHW",
    ) -> None:
        """Adds pictures, in a grid of up to eight columns.

        Args:
            tag, img_tensor, global_step, walltime, dataformats: as for ``add_image``; a list of
                pictures is stacked.
        """
        if isinstance(img_tensor, list):
            from pytensor import stack

            img_tensor = stack([as_tensor(picture) for picture in img_tensor])
            dataformats = "NCHW" if dataformats.upper() == "CHW" else dataformats
        self.add_image(tag, img_tensor, global_step, walltime, dataformats)

    def add_figure(
        self,
        tag: str,
        figure: Any,
        global_step: int | None = None,
        close: bool = True,
        walltime: float | None = None,
    ) -> None:
        """Adds a figure of matplotlib, or several side by side.

        Args:
            tag: its name.
            figure: the figure, or a list of them.
            global_step: the step.
            close: whether the figure is closed.
            walltime: seconds since 1970. Default: now.
        """
        figures = figure if isinstance(figure, list) else [figure]
        pixels = [figure_pixels(each) for each in figures]
        if close:
            from matplotlib import pyplot

            for each in figures:
                pyplot.close(each)
        if isinstance(figure, list):
            self.add_images(tag, pixels, global_step, walltime)
        else:
            self.add_image(tag, pixels[0], global_step, walltime)

    def add_audio(
        self,
        tag: str,
        snd_tensor: Any,
        global_step: int | None = None,
        sample_rate: int = 44100,
        walltime: float | None = None,
    ) -> None:
        """Adds a sound.

        Args:
            tag: its name.
            snd_tensor: one dimension of numbers in [-1, 1].
            global_step: the step.
            sample_rate: numbers a second.
            walltime: seconds since 1970. Default: now.

        Raises:
            ValueError: for more dimensions.
        """
        content = _summaries.audio(tag, snd_tensor, sample_rate)
        self._open().write(content, global_step, walltime)

    def add_text(
        self,
        tag: str,
        text_string: str,
        global_step: int | None = None,
        walltime: float | None = None,
    ) -> None:
        """Adds a text; TensorBoard reads it as Markdown.

        Args:
            tag: its name.
            text_string: the text.
            global_step: the step.
            walltime: seconds since 1970. Default: now.
        """
        self._open().write(_summaries.text(tag, text_string), global_step, walltime)

    def add_pr_curve(
        self,
        tag: str,
        labels: Any,
        predictions: Any,
        global_step: int | None = None,
        num_thresholds: int = 127,
        weights: Any = None,
        walltime: float | None = None,
    ) -> None:
        """Adds precision and recall of a binary classifier at several thresholds.

        Args:
            tag: its name.
            labels: 0 or 1.
            predictions: probabilities of 1.
            global_step: the step.
            num_thresholds: how many thresholds, up to 127.
            weights: of the samples.
            walltime: seconds since 1970. Default: now.
        """
        content = _summaries.pr_curve(tag, labels, predictions, num_thresholds, weights)
        self._open().write(content, global_step, walltime)

    def add_graph(
        self,
        model: Any,
        input_to_model: Any = None,
        verbose: bool = False,
        use_strict_trace: bool = True,
    ) -> None:
        """Adds the graph that a model records for an input.

        Args:
            model: the module.
            input_to_model: a tensor, or several.
            verbose: whether the nodes are printed.
            use_strict_trace: accepted for compatibility.

        Raises:
            RuntimeError: if the result does not depend on parameters or inputs.
        """
        graph = _graph.graph_def(model, input_to_model)
        if verbose:
            from pytensor.utils.viz import make_dot

            print(make_dot(model(*_as_tuple(input_to_model)), model))
        self._open().write(_wire.chunk(4, graph))

    def add_embedding(
        self,
        mat: Any,
        metadata: list[Any] | None = None,
        label_img: Any = None,
        global_step: int | None = None,
        tag: str = "default",
        metadata_header: list[str] | None = None,
    ) -> None:
        """Adds vectors for the projector.

        Args:
            mat: one vector a row.
            metadata: a label for each; with `metadata_header`, several.
            label_img: a square picture for each, N x C x H x W.
            global_step: the step.
            tag: the name.
            metadata_header: names of the columns of labels.

        Raises:
            AssertionError: if numbers of vectors, labels and pictures differ.
        """
        vectors = as_tensor(mat)
        if vectors.dim() != 2:
            raise AssertionError("mat should be 2D, where mat.size(0) is the number of data points")
        step = 0 if global_step is None else global_step
        folder = os.path.join(str(step).zfill(5), tag.replace("/", "_"))
        path = os.path.join(self.log_dir, folder)
        os.makedirs(path, exist_ok=True)
        if metadata is not None:
            target = os.path.join(path, "metadata.tsv")
            _embedding.write_metadata(target, metadata, metadata_header, vectors.shape[0])
        picture = None if label_img is None else as_tensor(label_img)
        if picture is not None:
            target = os.path.join(path, "sprite.png")
            _embedding.write_sprite(target, picture, vectors.shape[0])
        _embedding.write_rows(os.path.join(path, "tensors.tsv"), vectors.tolist())
        entry = _embedding.config_entry(folder, tag, step, picture, metadata is not None)
        config = os.path.join(self.log_dir, "projector_config.pbtxt")
        with open(config, "a", encoding="utf-8") as file:
            file.write(entry)

    def add_hparams(
        self,
        hparam_dict: Mapping[str, Any],
        metric_dict: Mapping[str, Any],
        hparam_domain_discrete: Mapping[str, list[Any]] | None = None,
        run_name: str | None = None,
        global_step: int | None = None,
    ) -> None:
        """Adds hyperparameters of a run and what came of them.

        Args:
            hparam_dict: numbers, strings, bools or tensors of one element by name.
            metric_dict: results by name.
            hparam_domain_discrete: the values that some hyperparameters can have.
            run_name: the run's directory. Default: the time.
            global_step: the step of the results.

        Raises:
            TypeError: for what is no mapping.
            ValueError: for hyperparameters of other types.
        """
        if not isinstance(hparam_dict, Mapping) or not isinstance(metric_dict, Mapping):
            raise TypeError("hparam_dict and metric_dict should be dictionary.")
        contents = _summaries.hparams(hparam_dict, metric_dict, hparam_domain_discrete)
        directory = os.path.join(self.log_dir, run_name or str(time.time()))
        file = EventFile(directory, self.filename_suffix, self.flush_secs)
        for content in contents:
            file.write(content)
        for name, value in metric_dict.items():
            file.write(_summaries.scalar(name, value), global_step)
        file.close()

    def flush(self) -> None:
        """Writes all events that wait in memory."""
        for file in self._files.values():
            file.flush()

    def close(self) -> None:
        """Writes all events and closes the files; later events open new ones."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)
