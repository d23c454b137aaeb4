"""The words and the sentence grammar of the generated world.

In templates, ``{0}`` and ``{1}`` are the pair, ``{2}`` a third entity; ``<adj>`` and ``<noun>`` are topic
words of a module; ``<group>``, ``<method>``, ``<adverb>``, ``<shown>`` and ``<number>`` are words without a
topic. In the templates of relations ``{s}`` is the subject, ``{o}`` the object, and ``[base]`` and the like
are forms of the verb.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Theme(NamedTuple):
    """The topic words of a module."""

    name: str
    adjectives: tuple[str, ...]
    nouns: tuple[str, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _theme(name: str, adjectives: str, nouns: str) -> Theme:
    return Theme(name, _words(adjectives), _words(nouns))


THEMES = (
    _theme(
        "lipid transport",
        "lipid sterol hepatic adipose biliary saturated esterified lipolytic lipogenic cholestatic",
        "cholesterol triglyceride lipoprotein steatosis adipocytes "
        "bile obesity ceramide phospholipid droplets ketones lipase cirrhosis",
    ),
    _theme(
        "immune response",
        "immune lymphoid autoimmune humoral leukocytic thymic antigenic allergic myeloid cytotoxic",
        "cytokine antibody inflammation lymphocytes macrophages "
        "interleukin chemokine complement spleen tolerance eosinophils autoantibodies granuloma",
    ),
    _theme(
        "synaptic signalling",
        "synaptic neuronal cortical dopaminergic hippocampal cognitive axonal glial cerebellar motor",
        "neurotransmitter dendrites seizure memory cortex myelin serotonin plasticity "
        "glutamate anxiety neuropathy astrocytes potentiation",
    ),
    _theme(
        "cell division",
        "mitotic proliferative cyclin spindle tumoral centrosomal clonal replicative oncogenic metastatic",
        "metaphase proliferation mitosis checkpoint kinetochore "
        "carcinoma neoplasm quiescence aneuploidy cytokinesis senescence tubulin regrowth",
    ),
    _theme(
        "vessel growth",
        "vascular endothelial arterial angiogenic venous capillary hypertensive atherogenic ischaemic pulmonary",
        "endothelium hypertension thrombosis vasodilation plaque artery sprouting perfusion "
        "hypoxia aneurysm stenosis platelets infarction",
    ),
    _theme(
        "respiration",
        "mitochondrial oxidative respiratory antioxidant redox bioenergetic peroxidative uncoupled aerobic glycolytic",
        "superoxide glutathione peroxide ferroptosis mitophagy "
        "cytochrome ubiquinone membrane lactate acidosis haem ubiquinol fission",
    ),
    _theme(
        "bone turnover",
        "skeletal osteogenic cartilaginous trabecular mineralised articular collagenous osteoclastic spinal synovial",
        "collagen osteoblasts cartilage fracture calcium "
        "fibrosis osteopenia tendon chondrocytes mineralisation osteocytes callus ossification",
    ),
    _theme(
        "genome repair",
        "genomic excision homologous chromatid telomeric epigenetic mismatch radiosensitive hereditary germline",
        "helicase recombination mutagenesis telomere chromatin "
        "methylation crosslinks irradiation histone instability ligation nucleosome breakage",
    ),
    _theme(
        "glucose control",
        "diabetic glycaemic pancreatic insulinotropic gluconeogenic metabolic endocrine "
        "fasting hyperinsulinaemic postprandial",
        "insulin glucose glucagon islets glycogen hyperglycaemia incretin ketosis "
        "starvation pancreas satiety leptin gestation",
    ),
    _theme(
        "infection",
        "viral bacterial infectious microbial pathogenic septic parasitic mucosal commensal febrile",
        "virulence biofilm capsid interferon replication endotoxin sepsis colonisation "
        "pneumonia pathogen bacteraemia envelope vaccination",
    ),
    _theme(
        "contraction",
        "muscular cardiac contractile sarcomeric ventricular myogenic dystrophic atrial systolic diastolic",
        "myosin arrhythmia sarcomere cardiomyocytes hypertrophy weakness fibrillation actin "
        "titin myoblasts troponin tachycardia exertion",
    ),
    _theme(
        "renal filtration",
        "renal tubular glomerular nephrotic urinary osmotic diuretic interstitial nephritic electrolytic",
        "nephron podocytes proteinuria filtration creatinine "
        "aldosterone sodium potassium dialysis reabsorption urea oedema albumin",
    ),
)
"""At most this many modules can be planted."""


class Verb(NamedTuple):
    """The forms of a transitive verb, and its noun."""

    base: str
    present: str
    participle: str
    nominal: str


def _verbs(*lines: str) -> tuple[Verb, ...]:
    return tuple(Verb(*line.split()) for line in lines)


class Kind(NamedTuple):
    """A kind of relation between two types."""

    metaedge: str
    """Abbreviation, in Hetionet's way."""
    source_type: str
    target_type: str
    source_is_subject: bool
    """Whether the source of the relation is the subject of the active sentence."""
    by: str
    """Preposition of the agent in the passive."""
    verbs: tuple[Verb, ...]
    findings: tuple[str, ...]
    """Words of what such a relation is found by, which come together with it; no two kinds share one."""


KINDS = (
    Kind(
        "DaG",
        "DISEASE",
        "GENE",
        False,
        "by",
        _verbs(
            "cause causes caused causation",
            "drive drives driven initiation",
            "aggravate aggravates aggravated worsening",
        ),
        _words("mutations penetrance pedigree linkage allele haplotype knockout variant"),
    ),
    Kind(
        "DuG",
        "DISEASE",
        "GENE",
        True,
        "in",
        _verbs(
            "elevate elevates elevated elevation",
            "amplify amplifies amplified amplification",
            "raise raises raised upregulation",
        ),
        _words("overexpression abundance surplus microarray transcripts excess hyperactivity immunopositive"),
    ),
    Kind(
        "DdG",
        "DISEASE",
        "GENE",
        True,
        "in",
        _verbs(
            "silence silences silenced silencing",
            "deplete depletes depleted depletion",
            "lower lowers lowered downregulation",
        ),
        _words("deficiency shortage hypoexpression absence decay immunonegative scarcity loss"),
    ),
    Kind(
        "GiG",
        "GENE",
        "GENE",
        True,
        "by",
        _verbs(
            "bind binds bound binding",
            "contact contacts contacted coupling",
            "recruit recruits recruited recruitment",
        ),
        _words("pulldown interface dimer stoichiometry coprecipitation heteromer scaffold tethering"),
    ),
    Kind(
        "Gr>G",
        "GENE",
        "GENE",
        True,
        "by",
        _verbs(
            "regulate regulates regulated regulation",
            "control controls controlled transactivation",
            "repress represses repressed repression",
        ),
        _words("promoter reporter luciferase enhancer transcription motif footprint operator"),
    ),
    Kind(
        "CbG",
        "CHEMICAL",
        "GENE",
        True,
        "by",
        _verbs(
            "occupy occupies occupied occupancy",
            "dock docks docked docking",
            "target targets targeted targeting",
        ),
        _words("radioligand displacement pocket affinity ligand thermophoresis residue dissociation"),
    ),
    Kind(
        "CuG",
        "CHEMICAL",
        "GENE",
        True,
        "by",
        _verbs(
            "activate activates activated activation",
            "stimulate stimulates stimulated stimulation",
            "induce induces induced induction",
        ),
        _words("agonist potency activator phosphorylation turnover efficacy gain partial-agonist"),
    ),
    Kind(
        "CdG",
        "CHEMICAL",
        "GENE",
        True,
        "by",
        _verbs(
            "inhibit inhibits inhibited inhibition",
            "block blocks blocked blockade",
            "suppress suppresses suppressed suppression",
        ),
        _words("antagonist inhibitor blocker residual halving quenching attenuation resistance"),
    ),
    Kind(
        "CtD",
        "CHEMICAL",
        "DISEASE",
        True,
        "by",
        _verbs(
            "treat treats treated treatment",
            "relieve relieves relieved relief",
            "cure cures cured remission",
        ),
        _words("trial placebo response survival recovery dose regimen benefit"),
    ),
    Kind(
        "CcD",
        "CHEMICAL",
        "DISEASE",
        True,
        "by",
        _verbs(
            "provoke provokes provoked provocation",
            "trigger triggers triggered onset",
            "precipitate precipitates precipitated precipitation",
        ),
        _words("toxicity exposure adverse overdose poisoning teratogen side-effect withdrawal"),
    ),
)
"""Every kind of relation, by class of pairs; CcD (chemical causes disease) alone is not one of Hetionet's."""

CLASSES = (("DISEASE", "GENE"), ("GENE", "GENE"), ("CHEMICAL", "GENE"), ("CHEMICAL", "DISEASE"))
"""Source and target type of the classes of pairs."""

STATED = (
    "{s} <adverb> [present] {o}",
    "{s} [present] {o}",
    "{o} is <adverb> [participle] [by] {s}",
    "{o} was [participle] [by] {s}",
    "{s} may [base] {o}",
    "{s} appears to [base] {o}",
    "[nominal] of {o} [by] {s} was <shown>",
    "the <adj> [nominal] of {o} [by] {s} was <shown>",
    "{o} can be <adverb> [participle] [by] {s}",
    "{s} was <shown> to [base] {o}",
)
DENIED = (
    "{s} did not [base] {o}",
    "{o} was not [participle] [by] {s}",
    "no [nominal] of {o} [by] {s} was <shown>",
    "{s} failed to [base] {o}",
    "there is little evidence that {s} can [base] {o}",
    "{o} was never [participle] [by] {s}",
)
NEUTRAL = (
    "{0} and {1} were measured by <method>",
    "{0} and {1} were both examined in <number> <group>",
    "<method> of {0} and {1} was repeated in <group>",
    "{0} was studied alongside {1}",
    "<group> with {0} were also screened for {1}",
    "data on {0} and on {1} were collected separately",
    "neither {0} nor {1} changed the <noun> score",
    "we compared {0} with {1} by <method>",
    "{0} was recorded before {1} in <number> <group>",
    "the <adj> profile of {0} resembled that of {1}",
)
OPENINGS = (
    "in <adj> <noun>, ",
    "during <adj> <noun>, ",
    "in <number> <group> with <adj> <noun>, ",
    "using <method>, we <shown> that ",
    "after <adj> <noun>, ",
    "with regard to <noun>, ",
    "in a model of <noun>, ",
    "",
)
CLOSINGS = (
    " in <adj> <group>",
    " through <adj> <noun>",
    " and this depended on <adj> <noun>",
    ", in line with <noun> and <noun>",
    " during <noun>",
    ", whereas <noun> was unchanged",
    ", as in earlier work on <adj> <noun>",
    "",
)
THIRDS = (
    " in the presence of {2}",
    ", as was {2}",
    ", unlike {2}",
    " regardless of {2}",
    ", and so was {2}",
)

FILLERS = {
    "group": _words(
        "patients cohorts volunteers mice rats samples tissues cultures biopsies organoids families infants "
        "adults twins women men donors embryos zebrafish fibroblasts subjects carriers controls outpatients"
    ),
    "method": _words(
        "immunoblotting sequencing microscopy spectrometry genotyping electrophoresis chromatography "
        "cytometry screening immunostaining crystallography radiography transfection "
        "profiling imaging hybridisation "
        "titration fluorimetry ultracentrifugation calorimetry"
    ),
    "adverb": _words(
        "strongly directly clearly markedly selectively partially rapidly weakly consistently potently "
        "indirectly reversibly significantly transiently robustly dose-dependently specifically modestly"
    ),
    "shown": _words("observed reported found detected described confirmed suggested demonstrated established noted"),
    "number": _words("two three four several twelve many forty sixty seven ninety few numerous"),
}
"""Words without a topic, by slot."""


def grammar_words() -> frozenset[str]:
    """Every lower-case word that the grammar can write, so that no entity takes one as its name."""
    templates = " ".join((*STATED, *DENIED, *NEUTRAL, *OPENINGS, *CLOSINGS, *THIRDS))
    words = re.findall(r"[a-z-]+", re.sub(r"[<\[{][^>\]}]*[>\]}]", " ", templates))
    for theme in THEMES:
        words += [*theme.adjectives, *theme.nouns]
    for kind in KINDS:
        words += [kind.by, *(word for verb in kind.verbs for word in verb), *kind.findings]
    return frozenset(words).union(*FILLERS.values())
