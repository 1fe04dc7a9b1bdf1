"""A live picker's tomograms and last answer, and how a question is answered."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from etpicker_plugin.engine.config.live import LiveConfig
from etpicker_plugin.engine.errors import EtPickerError
from etpicker_plugin.engine.fewshot.head import Head
from etpicker_plugin.engine.geometry import lies_outside
from etpicker_plugin.engine.live.base import Base, read_base
from etpicker_plugin.engine.live.requests import Marks, Solve
from etpicker_plugin.engine.live.scene import Scene
from etpicker_plugin.engine.live.scenes import Scenes, are_flat
from etpicker_plugin.engine.live.solving import (
    Event,
    Task,
    candidates_event,
    choose_candidates,
    cut_off_event,
    cut_offs,
    doubts,
    final_head,
    head_so_far,
    is_ready,
    progress_event,
    refusal,
    slab_peaks,
    slabs_of,
)
from etpicker_plugin.engine.picking.nms import Peaks
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.training.scale import species_at
from etpicker_plugin.engine.training.threshold import DEFAULT_THRESHOLD

Step = Event | None
"""What is to be sent, or nothing: a moment at which a newer question is looked for."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a question came to: all that a model's file needs."""

    task: Task
    head: Head
    species: tuple[Species, ...]
    scenes: list[Scene]


class Session:
    """Opens tomograms, keeps what was made of them, and answers questions."""

    def __init__(self, config: LiveConfig, folder: Path) -> None:
        self.config = config
        self.base: Base = read_base(config, flat=are_flat(config))
        self.answer: Answer | None = None
        self._scenes = Scenes(config, self.base, folder)
        self._told: set[str] = set()
        self._filling: tuple[Scene, Iterator[None]] | None = None

    def has_answered(self, request: Solve) -> bool:
        """Tell whether the last answer is that of a question."""
        answer = self.answer
        return answer is not None and answer.task.request.number == request.number

    def voxel_size(self, tomogram: str) -> float:
        """Return a tomogram's, Å."""
        return self._scenes.tomogram(tomogram).voxel_size

    # -------------------------- one question --------------------------------------
    def solve(self, request: Solve) -> Iterator[Step]:
        """Answer a question step by step; to leave it between two steps is safe."""
        request, complaints = self._checked(request)
        for text in complaints:
            yield refusal(request, text)
        if request.clicked_classes():
            yield from self._answer(self._task(request))
        else:
            self.answer = None
        yield {"event": "solved", "number": request.number}
        if not request.clicked_classes():
            yield from self._prepare(request)

    def _answer(self, task: Task) -> Iterator[Step]:
        """Learn from the clicked tomograms; find candidates there, then elsewhere."""
        names = sorted(self._scenes.names, key=lambda name: name != task.request.first)
        marked = [name for name in names if task.request.has_marks(name)]
        scenes: list[Scene] = []
        for name in marked:
            yield from self._open(task, name, scenes)
        task = task.only_in(scenes)
        if not task.species:
            return
        for scene in scenes:
            yield from self._learn(task, scene, scenes)
        head = final_head(task, scenes)
        found: list[tuple[Scene, Peaks]] = []
        for scene in scenes:
            yield from self._find(task, scene, head, found)
        yield from self._cut_off(task, scenes, head, found)
        for name in names:
            if name not in marked:
                yield from self._find_elsewhere(task, name, head, scenes)

    def _cut_off(
        self,
        task: Task,
        scenes: list[Scene],
        head: Head,
        found: list[tuple[Scene, Peaks]],
    ) -> Iterator[Step]:
        """Tell the cut-offs, and keep all that a model's file needs."""
        cuts = cut_offs(task, found)
        yield cut_off_event(task, cuts)
        for doubt in doubts(task, scenes):
            yield refusal(task.request, doubt)
        species = []
        for one in task.species:
            cut = cuts[one.name]
            if cut is None:
                yield refusal(
                    task.request,
                    f"{one.name}: no place like the clicked ones is found, not even "
                    "there. Look whether the clicks lie on particles, and at the "
                    "diameter.",
                )
            threshold = DEFAULT_THRESHOLD if cut is None else cut.value
            species.append(replace(one, threshold=threshold))
        self.answer = Answer(
            task=task, head=head, species=tuple(species), scenes=scenes
        )

    def _find_elsewhere(
        self, task: Task, name: str, head: Head, taught: list[Scene]
    ) -> Iterator[Step]:
        """Find candidates in a tomogram without marks."""
        others: list[Scene] = []
        yield from self._open(task, name, others)
        for scene in others:
            yield from self._learn(task, scene, taught)
            yield from self._find(task, scene, head, [])

    # -------------------------- what is asked for ----------------------------------
    def _checked(self, request: Solve) -> tuple[Solve, list[str]]:
        """Return a question without what cannot be used of it, and why."""
        complaints: list[str] = []
        marks: Marks = {}
        for name, of in request.marks.items():
            if name not in self._scenes.names:
                complaints.append(
                    f"No tomogram here is called {name}: its marks are left out."
                )
                continue
            try:
                shape = self._scenes.tomogram(name).shape_zyx
            except EtPickerError as error:
                complaints.append(str(error))
                continue
            marks[name] = {}
            for kind, places in of.items():
                outside = lies_outside(places, shape)
                marks[name][kind] = places[~outside]
                if outside.any():
                    x, y, z = places[outside][0][::-1]
                    complaints.append(
                        f"{name}: {int(outside.sum())} mark(s) of {kind} lie outside "
                        f"the tomogram, the first at x, y, z = {x:g}, {y:g}, {z:g}; "
                        f"its size is {shape[::-1]} voxels. They are left out."
                    )
        return replace(request, marks=marks), complaints

    def _task(self, request: Solve) -> Task:
        names = request.clicked_classes()
        diameters = {name: request.diameters[name] for name in names}
        size = self._scenes.working_voxel_size(diameters)
        return Task(
            request=request,
            species=species_at(size, diameters),
            working_voxel_size=size,
            stride=self.base.ready.output_stride,
            trained=self.base.heads,
        )

    def _open(self, task: Task, name: str, scenes: list[Scene]) -> Iterator[Step]:
        """Add a tomogram's scene to a list, or say why it cannot be used.

        Of one without marks it is said once: it takes nothing from the answer.
        """
        try:
            scenes.append(self._scenes.at(name, task.working_voxel_size))
        except EtPickerError as error:
            if task.request.has_marks(name) or str(error) not in self._told:
                self._told.add(str(error))
                yield refusal(task.request, str(error))
        yield None

    # -------------------------- steps of an answer ---------------------------------
    def _fill(self, task: Task, scene: Scene) -> Iterator[Step]:
        """Make the features that are missing, and say how far they are."""
        z = task.request.first_z if task.request.first == scene.name else None
        total = len(scene.store.pieces)
        for _ in self._filling_of(scene, z):
            done = total - len(scene.store.missing())
            yield progress_event(task, scene, done, total, "features")

    def _filling_of(self, scene: Scene, z: float | None) -> Iterator[None]:
        """Return what fills a scene: if it is begun already, it goes on."""
        if self._filling is None or self._filling[0] is not scene:
            self._filling = scene, scene.fill(self.base, z)
        try:
            yield from _without_closing(self._filling[1])
        except EtPickerError:
            self._filling = None
            raise

    def _learn(self, task: Task, scene: Scene, scenes: list[Scene]) -> Iterator[Step]:
        """Make a tomogram's features; of the one looked at, show slabs as they come.

        ``scenes`` are the clicked ones.
        """
        wanted = slabs_of(task, scene) if scene.name == task.request.first else []
        known: list[Peaks] = []
        for step in self._fill(task, scene):
            yield step
            for slab in [one for one in wanted if is_ready(task, scene, one)]:
                head = head_so_far(task, scenes)
                if head is None:
                    break
                wanted.remove(slab)
                known.append(slab_peaks(task, scene, head, slab))
                candidates = choose_candidates(task, scene, known)
                yield candidates_event(task, scene, candidates, slab)
                cuts = cut_offs(task, [(scene, candidates)])
                if any(cuts.values()):
                    yield cut_off_event(task, cuts)

    def _find(
        self,
        task: Task,
        scene: Scene,
        head: Head,
        found: list[tuple[Scene, Peaks]],
    ) -> Iterator[Step]:
        """Find a tomogram's candidates, and add them to what is found."""
        slabs = slabs_of(task, scene)
        known: list[Peaks] = []
        for done, slab in enumerate(slabs, 1):
            known.append(slab_peaks(task, scene, head, slab))
            if done == 1 < len(slabs) and scene.name == task.request.first:
                candidates = choose_candidates(task, scene, known)
                yield candidates_event(task, scene, candidates, slab)
            yield progress_event(task, scene, done, len(slabs), "candidates")
        candidates = choose_candidates(task, scene, known)
        found.append((scene, candidates))
        yield candidates_event(task, scene, candidates, None)

    def _prepare(self, request: Solve) -> Iterator[Step]:
        """Make features before the first click, of what is looked at."""
        if not request.diameters or request.first not in self._scenes.names:
            return
        name, diameter = next(iter(request.diameters.items()))
        try:
            size = self._scenes.working_voxel_size({name: diameter})
            scene = self._scenes.at(request.first, size)
            yield None
            for _ in self._filling_of(scene, request.first_z):
                yield None
        except EtPickerError:
            return  # It is told when something is asked of it.


def _without_closing(steps: Iterator[None]) -> Iterator[None]:
    """Go through steps, to be gone on with later where this is left early."""
    while True:
        try:
            next(steps)
        except StopIteration:
            return
        yield
