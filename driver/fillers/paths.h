/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Paths of files and cgroups, put together from their components; descriptors and the files behind them. */
#ifndef PATHS_H
#define PATHS_H

#define PATH_COMPONENTS 64
#define CGROUP_COMPONENTS 16
#define NAME_MAX 255
#define OVERLAYFS_MAGIC 0x794c7630
#define FMODE_CREATED 0x100000
#define FD_UPPER_LAYER 0x8000
#define FD_LOWER_LAYER 0x10000
#define O_F_CREATED 0x4000

/* The file behind a descriptor of the current task; NULL when there is none. */
static __always_inline struct file *file_of(struct event *e, s32 fd)
{
	struct fdtable *table;
	struct file **files, *file = NULL;

	if (fd < 0)
		return NULL;
	table = KREAD(current(e), files, fdt);
	if ((u32)fd >= KREAD(table, max_fds))
		return NULL;
	files = KREAD(table, fd);
	bpf_probe_read_kernel(&file, sizeof file, &files[fd]);
	return file;
}

/* Device number in the form stat reports it. */
static __always_inline u32 stat_device(u32 dev)
{
	u32 major = dev >> 20, minor = dev & 0xfffff;

	return (minor & 0xff) | major << 8 | (minor & ~0xffu) << 12;
}

/* Puts one name before what is in e->path from e->path_at on. Returns false when it does not fit. */
static __always_inline bool prepend(struct event *e, const void *name, u32 len)
{
	u32 at = e->path_at;

	len &= NAME_MAX;
	if (len + 1 > at)
		return false;
	at -= len;
	bpf_probe_read_kernel(&e->path[at & (PATH_MAX - 1)], len, name);
	at--;
	e->path[at & (PATH_MAX - 1)] = '/';
	e->path_at = at;
	return true;
}

static __always_inline void begin_path(struct event *e)
{
	e->path[PATH_MAX - 1] = 0;
	e->path_at = PATH_MAX - 1;
}

/* Adds the path that has been put together, with its NUL; "/" when no name went into it. */
static __always_inline void add_finished_path(struct event *e)
{
	u32 at = e->path_at;

	if (at == PATH_MAX - 1) {
		at--;
		e->path[at & (PATH_MAX - 1)] = '/';
	}
	add_kernel_str(e, &e->path[at & (PATH_MAX - 1)]);
}

static __always_inline struct mount *mount_of(struct vfsmount *mnt)
{
	return (struct mount *)((char *)mnt - bpf_core_field_offset(struct mount, mnt));
}

LOOP_TURN(walk_path)
{
	struct dentry *dentry = e->walk.node;
	struct dentry *parent = KREAD(dentry, d_parent);

	if (dentry == e->walk.root) {
		struct mount *mnt = e->walk.mount, *above = KREAD(mnt, mnt_parent);

		if (mnt == above)
			return 1;
		e->walk.node = KREAD(mnt, mnt_mountpoint);
		e->walk.mount = above;
		e->walk.root = KREAD(above, mnt.mnt_root);
		return 0;
	}
	if (!prepend(e, KREAD(dentry, d_name.name), KREAD(dentry, d_name.len)))
		return 1;
	if (dentry == parent) {
		/* Not below any mount: the name stands for itself, without a slash, as that of a memfd. */
		e->path_at++;
		return 1;
	}
	e->walk.node = parent;
	return 0;
}

/* Adds the path of a file, from the root of its mount namespace, with its NUL. */
SHARED add_path(u32 kind, u64 dentry_at, u64 mount_at)
{
	SHARED_EVENT(e, kind);
	struct vfsmount *vfsmnt = (struct vfsmount *)mount_at;

	begin_path(e);
	e->walk.node = (void *)dentry_at;
	e->walk.mount = mount_of(vfsmnt);
	e->walk.root = KREAD(vfsmnt, mnt_root);
	LOOP(e, walk_path, PATH_COMPONENTS);
	add_finished_path(e);
	return 0;
}

static __always_inline void push_file_path(struct event *e, struct file *file)
{
	open_param(e);
	if (file)
		add_path(e->kind, (u64)KREAD(file, f_path.dentry), (u64)KREAD(file, f_path.mnt));
	close_param(e);
}

/* An overlay inode: the dentry of the upper layer follows the inode that all file systems share. */
static __always_inline u32 overlay_layer(struct inode *inode, struct dentry *dentry, u32 upper, u32 lower)
{
	struct dentry *above = NULL;

	if (KREAD(inode, i_sb, s_magic) != OVERLAYFS_MAGIC)
		return 0;
	bpf_probe_read_kernel(&above, sizeof above, (char *)inode + bpf_core_type_size(struct inode));
	return above ? upper : lower;
}

/* What an open call learns from the descriptor it made. */
struct opened {
	u32 dev;
	u32 flags;
	u64 ino;
};

static __always_inline void look_at_opened(struct event *e, struct opened *o)
{
	struct file *file = e->ret < 0 ? NULL : file_of(e, e->ret);
	struct inode *inode;

	o->dev = 0;
	o->flags = 0;
	o->ino = 0;
	if (!file)
		return;
	inode = KREAD(file, f_inode);
	o->dev = stat_device(KREAD(inode, i_sb, s_dev));
	o->ino = KREAD(inode, i_ino);
	if (KREAD(file, f_mode) & FMODE_CREATED)
		o->flags |= O_F_CREATED;
	o->flags |= overlay_layer(inode, KREAD(file, f_path.dentry), FD_UPPER_LAYER, FD_LOWER_LAYER);
}

LOOP_TURN(walk_cgroup)
{
	struct kernfs_node *node = e->walk.node, *parent;
	const char *name;
	long n;

	if (bpf_core_field_exists(node->parent))
		parent = KREAD(node, parent);
	else
		parent = KREAD((struct kernfs_node___new *)node, __parent);
	if (!parent)
		return 1;
	name = KREAD(node, name);
	/* Its length is not kept: reading it once, behind the path, tells. */
	n = bpf_probe_read_kernel_str(&e->path[PATH_MAX], NAME_MAX + 1, name);
	if (n <= 1 || !prepend(e, name, n - 1))
		return 1;
	e->walk.node = parent;
	return 0;
}

/* Adds the path of a cgroup below the root of its hierarchy, with its NUL. */
SHARED add_cgroup_path(u32 kind, u64 node_at)
{
	SHARED_EVENT(e, kind);

	begin_path(e);
	e->walk.node = (void *)node_at;
	LOOP(e, walk_cgroup, CGROUP_COMPONENTS);
	add_finished_path(e);
	return 0;
}

#endif
