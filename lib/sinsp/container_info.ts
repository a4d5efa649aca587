// SPDX-License-Identifier: Apache-2.0
// What is known about a container beyond its id. Texts are byte strings; what is unknown is left out.

export interface ContainerMount {
  source: string;
  destination: string;
  mode: string;
  writable: boolean;
  propagation: string;
}

export interface ContainerInfo {
  fullId?: string;
  name?: string;
  /** Kind of runtime: "docker", "containerd", "podman" … */
  type?: string;
  /** Name of the image as it was asked for. */
  image?: string;
  imageId?: string;
  imageRepository?: string;
  imageTag?: string;
  imageDigest?: string;
  privileged?: boolean;
  mounts?: readonly ContainerMount[];
  labels?: ReadonlyMap<string, string>;
  ip?: string;
  cniJson?: string;
  hostPid?: boolean;
  hostNetwork?: boolean;
  hostIpc?: boolean;
  /** ns since the epoch. */
  created?: bigint;
  podName?: string;
  podNamespace?: string;
  podUid?: string;
  podLabels?: ReadonlyMap<string, string>;
  podSandboxId?: string;
  podIp?: string;
  podCniJson?: string;
}
