"""
@article{Liu2024,
  title   = {{DeepETPicker}: Fast and accurate {3D} particle picking for cryo-electron
             tomography using weakly supervised deep learning},
  author  = {Liu, Guole and Niu, Tongxin and Qiu, Mengxuan and Zhu, Yun and Sun, Fei and
             Yang, Ge},
  journal = {Nature Communications},
  volume  = {15},
  pages   = {2090},
  year    = {2024},
  doi     = {10.1038/s41467-024-46041-0}
}

@article{Zhang2022,
  title   = {{EPicker} is an exemplar-based continual learning approach for knowledge
             accumulation in cryo{EM} particle picking},
  author  = {Zhang, Xinyu and Zhao, Tianfang and Chen, Jiansheng and Shen, Yuan and
             Li, Xueming},
  journal = {Nature Communications},
  volume  = {13},
  pages   = {2468},
  year    = {2022},
  doi     = {10.1038/s41467-022-29994-y}
}

@article{Bharat2016,
  title   = {Resolving macromolecular structures from electron cryo-tomography data
             using subtomogram averaging in {RELION}},
  author  = {Bharat, Tanmay A. M. and Scheres, Sjors H. W.},
  journal = {Nature Protocols},
  volume  = {11},
  pages   = {2054--2065},
  year    = {2016},
  doi     = {10.1038/nprot.2016.124}
}
"""
